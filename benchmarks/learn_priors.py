"""Measure what models are like: the tables of `assignment/priors.py`, as they were made.

    python benchmarks/make_models.py --set tuning --folder /tmp/tuning
    python benchmarks/learn_priors.py /tmp/tuning          # prints the tables; changes no file

Expectations: how often each slot's bit was 1, over all models, each model's vote capped. Weights: a logistic
regression of the bits on what the inputs said of them, held near the weights that are there.
Format version 1 has the tables that assignment/priors.py holds, whatever this prints: training is not the same on every
machine. The tuning set had nine networks of the competition's kinds beside it (benchmarks/search_open.py --keep): six of the
open division's (5 to 16 and 8 to 24 channels, 8 to 25 epochs) and three of the other (60 to 120 units, grids of 0.3 and 0.4).
Weights were learned four times over, each time from the ones before, those of kernels twice; expectations were kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment import mixing, priors, slots
from assignment.artifact import specs_of, walk
from assignment.entropy import Encoder
from assignment.nn import Sequential
from benchmarks.stored_models import models

NAMES = ("USED", "ZERO", "SIGN", "SIZE")
VOTES = 50  # of one model, about one slot
LARGEST = 14  # halves of log2 of odds
RECORDED, BITS_OF_A_MODEL = 40_000, 4_000  # of one set of weights: bits that vote, and their votes at most
HOLD = 20.0  # bits that a weight's distance of 1 from where it was costs


class Watched(mixing.Mixture):
    """A mixture that counts the bits of each slot, and keeps what its inputs said."""

    def __init__(self, slots: int, weights: np.ndarray, *counts: np.ndarray) -> None:
        super().__init__(slots, weights, *counts)
        self.tally = np.zeros(2 * slots)
        self.said: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        self.used = [0] * len(weights)
        Watched.made.append(self)

    made: ClassVar[list[Watched]] = []

    def _batch(
        self, coder: Any, places: np.ndarray, known: np.ndarray, weight_set: int, bits: np.ndarray
    ) -> Any:
        zeros, ones, before = self._counts.take(places), self._counts.take(places + 1), self.used[weight_set]
        found = super()._batch(coder, places, known, weight_set, bits)
        np.add.at(self.tally, (places + found).ravel(), 1)
        if before < RECORDED:
            said = np.concatenate([mixing.LOG.take(ones) - mixing.LOG.take(zeros), known]) / 256
            self.said.setdefault(weight_set, []).append((said, found))
        self.used[weight_set] += len(found)
        return found


def packed(model: Sequential) -> dict[str, Watched]:
    Watched.made = []
    walk(Encoder(), specs_of(model), model.parameters())
    return dict(zip(NAMES, Watched.made, strict=True))


def expectations(runs: list[dict[str, Watched]]) -> dict[tuple[str, int], str]:
    """A letter for each slot of the inputs that have some."""
    total: dict[str, np.ndarray] = {}
    for run in runs:
        for name, mixture in run.items():
            tally = mixture.tally.reshape(-1, 2)
            votes = tally * np.minimum(1, VOTES / np.maximum(tally.sum(axis=1, keepdims=True), 1))
            total[name] = total.get(name, 0) + votes
    result = {}
    for name, part in priors.EXPECTED:
        start, stop = slots.CONTEXTS[name].starts[part : part + 2]
        zeros, ones = total[name][start:stop].T + 1
        halves = np.rint(2 * np.log2(ones / zeros)).astype(int).clip(-LARGEST, LARGEST)
        result[name, part] = "".join(priors.LETTERS[half + LARGEST] for half in halves)
    return result


def learned_weights(runs: list[dict[str, Watched]], name: str, rows: slice) -> np.ndarray:
    """The weights, in 1/256, that the sets `rows` should begin with: Newton's method, halving steps that go too far."""
    parts = []
    for run in runs:
        found = [part for k in range(rows.start, rows.stop) for part in run[name].said.get(k, [])]
        if found:
            said, bits = (np.concatenate([part[i] for part in found], axis=-1) for i in range(2))
            parts.append((said, bits, np.full(len(bits), min(1, BITS_OF_A_MODEL / len(bits)))))
    first = slots.WEIGHTS[name][rows.start] / mixing.ONE
    if not parts:
        return np.rint(first * 256)
    said, bits, votes = (np.concatenate([part[i] for part in parts], axis=-1) for i in range(3))

    def cost(weights: np.ndarray) -> float:
        surprise = np.logaddexp(0, np.log(2) * (weights @ said) * (1 - 2 * bits)) / np.log(2)
        return float((votes * surprise).sum() + HOLD * ((weights - first) ** 2).sum())

    weights = first
    for _ in range(30):
        probability = 1 / (1 + np.exp2(-(weights @ said).clip(-60, 60)))
        slope = said @ (votes * (probability - bits)) + 2 * HOLD * (weights - first)
        bend = (said * (votes * probability * (1 - probability) * np.log(2))) @ said.T
        step = np.linalg.solve(bend + 2 * HOLD * np.eye(len(weights)), slope)
        while cost(weights - step) > cost(weights) and abs(step).max() > 1e-4:
            step = step / 2
        weights = weights - step
        if abs(step).max() < 1e-4:
            break
    return np.rint(weights * 256)


def shared_rows(name: str) -> list[slice]:
    """Sets of weights that begin alike."""
    sets = len(slots.WEIGHTS[name])
    if name != "SIZE":
        return [slice(k, k + 1) for k in range(sets)]
    starts = range(0, sets, slots.NODES)
    return [slice(start + low, start + high) for start in starts for low, high in priors.QUESTIONS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of models, as make_models.py writes them")
    folder = parser.parse_args().folder
    slots.Mixture = Watched  # type: ignore[misc]
    runs = [packed(model) for model in models(folder).values()]
    for key, letters in expectations(runs).items():
        print(key, letters)
    for name in NAMES:
        for rows in shared_rows(name):
            print(name, rows.start, learned_weights(runs, name, rows).astype(int).tolist())


if __name__ == "__main__":
    main()
