"""Measure what models are like: the tables of `assignment/priors.py`, as their first version was made.

    python benchmarks/make_models.py --set tuning --folder /tmp/tuning
    python benchmarks/learn_priors.py /tmp/tuning          # prints the tables; changes no file

Expectations: how often each slot's bit was 1, over all models, each model's vote capped. Weights: packed model
after model, each time the beginning moves a part of the way to where the weights ended (Reptile: Nichol, Achiam and
Schulman 2018). Format version 1 has the tables that assignment/priors.py holds, whatever this prints: the models
that made them were also rounded to other numbers of levels, and training is not the same on every machine.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment import coding, mixing, priors
from assignment.artifact import specs_of, walk
from assignment.entropy import Encoder
from assignment.nn import Sequential
from benchmarks.stored_models import models

NAMES = ("USED", "ZERO", "SIGN", "SIZE")
VOTES = 50  # of one model, about one slot
LARGEST = 14  # halves of log2 of odds
ROUNDS = 4


class Watched(mixing.Mixture):
    """A mixture that counts the bits of each slot and of each set of weights."""

    def __init__(self, slots: int, weights: np.ndarray) -> None:
        super().__init__(slots, weights)
        self.tally = np.zeros(2 * slots)
        self.used = np.zeros(len(weights))
        Watched.made.append(self)

    made: ClassVar[list[Watched]] = []

    def _batch(
        self, coder: Any, places: np.ndarray, known: np.ndarray, weight_set: int, bits: np.ndarray
    ) -> Any:
        found = super()._batch(coder, places, known, weight_set, bits)
        np.add.at(self.tally, (places + found).ravel(), 1)
        self.used[weight_set] += len(bits)
        return found


def packed(model: Sequential) -> dict[str, Watched]:
    Watched.made = []
    coder = Encoder()
    walk(coder, specs_of(model), model.parameters())
    return dict(zip(NAMES, Watched.made, strict=True))


def expectations(all_models: list[Sequential]) -> dict[tuple[str, int], str]:
    """A letter for each slot of the inputs that have some."""
    total: dict[str, np.ndarray] = {}
    for model in all_models:
        for name, mixture in packed(model).items():
            tally = mixture.tally.reshape(-1, 2)
            votes = tally * np.minimum(1, VOTES / np.maximum(tally.sum(axis=1, keepdims=True), 1))
            total[name] = total.get(name, 0) + votes
    parts = coding.SymbolCoder(Encoder())
    contexts = {name: getattr(parts, f"_{name.lower()}_contexts") for name in NAMES}
    result = {}
    for name, part in priors.EXPECTED:
        start, stop = contexts[name].starts[part : part + 2]
        zeros, ones = total[name][start:stop].T + 1
        halves = np.rint(2 * np.log2(ones / zeros)).astype(int).clip(-LARGEST, LARGEST)
        result[name, part] = "".join(priors.LETTERS[half + LARGEST] for half in halves)
    return result


def learn_weights(all_models: list[Sequential]) -> None:
    """Moves the arrays that `coding` begins with, in place."""
    rng = np.random.default_rng(0)
    for round_number in range(ROUNDS):
        pace = 1 / (2 + round_number)
        for index in rng.permutation(len(all_models)):
            for name, mixture in packed(all_models[index]).items():
                begin = getattr(coding, f"{name}_WEIGHTS")
                for rows in shared_rows(name):
                    used = np.minimum(mixture.used[rows], 200)[:, None]
                    if used.sum() > 20:
                        move = ((mixture._weights[rows] - begin[rows]) * used).sum(axis=0) / used.sum()
                        begin[rows] += (pace * move).astype(np.int64)


def shared_rows(name: str) -> list[slice]:
    """Sets of weights that begin alike."""
    if name != "SIZE":
        return [slice(kind, kind + 1) for kind in range(coding.KINDS)]
    starts = [coding.NODES * kind for kind in range(coding.KINDS)]
    return [slice(start + low, start + high) for start in starts for low, high in priors.QUESTIONS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of models, as make_models.py writes them")
    all_models = list(models(parser.parse_args().folder).values())
    coding.Mixture = Watched  # type: ignore[misc]
    for key, letters in expectations(all_models).items():
        print(key, letters)
    learn_weights(all_models)
    for name in NAMES:
        begin = getattr(coding, f"{name}_WEIGHTS")
        for rows in shared_rows(name):
            print(name, rows.start, np.rint(begin[rows][0] / 256).astype(int).tolist())


if __name__ == "__main__":
    main()
