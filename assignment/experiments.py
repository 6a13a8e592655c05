"""What the pictures of the lab and the report show, measured with a student's functions.

Each function takes the `Workbench` and returns plain numbers: accuracies in percent of the validation
images, sizes in bytes of real packed files, times in seconds. They raise `SubmissionError` where one of
the student's functions is not there or does not do its part.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from .artifact import ArtifactError, pack, unpack
from .nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Reshape, Sequential, WeightedLayer
from .scoring import BUDGET_BYTES, REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES, score
from .seam import SubmissionError
from .workbench import Workbench

T = TypeVar("T")
Curve = list[tuple[float, float]]
SPARSITIES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)
SCHEMES = {"affine": (1, 2, 3, 4, 6, 8), "symmetric": (2, 3, 4, 6, 8), "kmeans": (1, 2, 3, 4, 6, 8)}
SCHEME_NAMES = {
    "affine": "affine, a scale for each layer",
    "symmetric": "symmetric, a scale for each unit",
    "kmeans": "k-means codebook",
}
KEEP_RATIOS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
TIMED_IMAGES = 1000


def each_that_works(ways: dict[str, Callable[[], list[T]]]) -> dict[str, list[T]]:
    """What each way finds. One that fails finds nothing, and its name says why; if all do, SubmissionError."""
    found: dict[str, list[T]] = {}
    errors = []
    for name, way in ways.items():
        try:
            found[name] = way()
        except SubmissionError as error:
            errors.append(error)
            found[f"{name}: {reason_of(error)}"[:80]] = []
    if len(errors) == len(ways):
        raise errors[0]
    return found


def reason_of(error: SubmissionError) -> str:
    unwritten = error.kind in ("not_implemented", "missing")
    return f"{error.function} is not implemented yet" if unwritten else str(error)


# ------------------------------------------------------------------------------------- part 1: size


def small_cnn() -> Sequential:
    """A small convolutional network for the same digits, untrained: for counting."""
    return Sequential(
        [
            Reshape((1, 28, 28)),
            Conv2D(1, 8, 3, padding=1),
            ReLU(),
            MaxPool2D(2),
            Conv2D(8, 16, 3, padding=1),
            ReLU(),
            MaxPool2D(2),
            Flatten(),
            Dense(16 * 7 * 7, 10),
        ]
    )


@dataclass(frozen=True)
class LayerUse:
    """What a layer stores, and how often each of its weights multiplies for one image."""

    layer: str
    parameters: int
    uses_per_weight: int


def layer_uses(model: Sequential) -> list[LayerUse]:
    """Each layer with weights; a weight that is shared is used at every place of the image."""
    uses, x = [], np.zeros((1, 784), np.float32)
    for layer in model.layers:
        x = layer.forward(x)
        if isinstance(layer, WeightedLayer):
            stored = sum(array.size for array in layer.parameters())
            name = repr(layer).partition(", stride")[0].rstrip(")") + ")"
            uses.append(LayerUse(name, stored, x[0, 0].size if isinstance(layer, Conv2D) else 1))
    return uses


def claimed_sizes(bench: Workbench, models: dict[str, Sequential]) -> dict[str, dict[int, int]]:
    """`storage_bytes` of each model at 32, 16, 8 and 4 bits a weight."""
    return {
        name: {bits: bench.student.storage_bytes(model, bits) for bits in (32, 16, 8, 4)}
        for name, model in models.items()
    }


# ------------------------------------------------------------------------- part 2: magnitude pruning


def accuracy_by_sparsity(bench: Workbench) -> dict[str, Curve]:
    """Percent of the weights left -> percent accurate: one ranking over all layers, in each, and retrained."""

    def curve(make: Callable[[float], Sequential]) -> Callable[[], Curve]:
        return lambda: [(100 * (1 - share), bench.accuracy(make(share))) for share in SPARSITIES]

    return each_that_works(
        {
            "each layer by itself": curve(
                lambda share: bench.student.prune(bench.base, share, scope="layer")
            ),
            "all layers together": curve(
                lambda share: bench.student.prune(bench.base, share, scope="global")
            ),
            "all together, then fine-tuned": curve(lambda share: pruned_and_tuned(bench, share)),
        }
    )


def pruned_and_tuned(bench: Workbench, share: float, epochs: int = 2) -> Sequential:
    masks = bench.student.global_magnitude_masks(bench.base, share)
    return bench.student.finetune(
        bench.base, masks, bench.few, epochs=epochs, learning_rate=0.02, batch_size=64
    )


# ----------------------------------------------------------------------------- part 3: quantization


@dataclass(frozen=True)
class Levels:
    """A quantizer at work on one array: the values that weights can take, and how far off they are."""

    scheme: str
    levels: np.ndarray
    rms_error: float


def levels_of(bench: Workbench, weights: np.ndarray, bits: int) -> list[Levels]:
    """The levels that each quantizer puts on the weights; `symmetric` with one scale for all of them."""
    student = bench.student

    def affine() -> list[np.ndarray]:
        return [student.dequantize_affine(*student.quantize_affine(weights, bits))]

    def symmetric() -> list[np.ndarray]:
        codes, scales = student.quantize_symmetric(weights, bits)
        return [np.asarray(codes * np.asarray(scales, np.float32), np.float32)]

    def kmeans() -> list[np.ndarray]:
        indices, codebook = student.kmeans_codebook(weights, bits)
        if np.shape(indices) != weights.shape:
            text = f"indices of shape {np.shape(indices)} for {weights.shape}"
            raise SubmissionError("malformed", "kmeans_codebook", text)
        return [np.asarray(codebook)[indices]]

    found = each_that_works({"affine": affine, "symmetric": symmetric, "kmeans": kmeans})
    nothing = Levels("", np.zeros(0, np.float32), float("nan"))
    return [
        Levels(name, np.unique(arrays[0]), float(np.sqrt(np.mean((arrays[0] - weights) ** 2))))
        if arrays
        else replace(nothing, scheme=name)
        for name, arrays in found.items()
    ]


@dataclass(frozen=True)
class Quantized:
    """A model at so many bits: what its weights should take, and what its packed file takes."""

    bits: int
    accuracy_percent: float
    claimed_bytes: int
    packed_bytes: int


def quantized_models(bench: Workbench) -> dict[str, list[Quantized]]:
    """The shared model under every scheme and number of bits."""

    def models(scheme: str) -> list[Quantized]:
        found = []
        for bits in SCHEMES[scheme]:
            model = bench.student.quantize_model(bench.base, bits, scheme=scheme)
            claimed = bench.student.storage_bytes(model, bits)
            size = len(packed(model, "quantize_model"))
            found.append(Quantized(bits, bench.accuracy(model), claimed, size))
        return found

    return each_that_works({SCHEME_NAMES[scheme]: partial(models, scheme) for scheme in SCHEMES})


def packed(model: Sequential, function: str) -> bytes:
    """The model's file. Raises SubmissionError where `function` made one that is no proper model."""
    try:
        return pack(model)
    except ArtifactError as error:
        raise SubmissionError("malformed", function, f"a model that cannot be packed: {error}") from error


# ------------------------------------------------------------------------------ part 4: distillation


def telling_digits(logits: np.ndarray, count: int = 3) -> np.ndarray:
    """Rows of images with an interesting second choice, of different digits.

    The two largest logits are 0.4 to 3 apart, so that the one's probability is 1.5 to 20 times the other's.
    """
    second, best = np.sort(logits, axis=1)[:, -2:].T
    answers = logits.argmax(axis=1)
    chosen: list[int] = []
    for row in np.flatnonzero((best - second > 0.4) & (best - second < 3)):
        if answers[row] not in answers[chosen] and len(chosen) < count:
            chosen.append(int(row))
    return np.array(chosen or range(count))


def taught_and_alone(
    bench: Workbench, *, images: int = 1000, epochs: int = 15, seeds: int = 3
) -> dict[str, list[Curve]]:
    """Epoch -> percent accurate, a curve for each seed: a network of 20 units on few images.

    Alone it learns from labels (alpha 1); taught, from the shared model's softened answers and the labels.
    """
    train = bench.mnist.train
    few = type(train)(train.images[:images], train.labels[:images])
    curves: dict[str, list[Curve]] = {"from labels alone": [], "taught by the shared model": []}
    for seed in range(seeds):
        for name, alpha in zip(curves, (1.0, 0.1), strict=True):
            model, curve = small_network(seed), []
            for epoch in range(epochs):
                model = bench.student.distill(
                    model,
                    bench.base,
                    few,
                    epochs=1,
                    temperature=3.0,
                    alpha=alpha,
                    learning_rate=0.02,
                    batch_size=32,
                    seed=1000 * seed + epoch,
                )
                curve.append((epoch + 1.0, bench.accuracy(model)))
            curves[name].append(curve)
    return curves


def small_network(seed: int = 0, units: int = 20) -> Sequential:
    rng = np.random.default_rng(seed)
    return Sequential([Dense(784, units, rng=rng), ReLU(), Dense(units, 10, rng=rng)])


# ---------------------------------------------------------------------------- part 5: neuron removal


def importance_of_first(bench: Workbench) -> np.ndarray:
    """`neuron_importance` of the first layer's units."""
    importance = np.asarray(bench.student.neuron_importance(bench.base, 0, bench.few.images))
    units = bench.base.layers[0].parameters()[1].shape
    if importance.shape != units:
        raise SubmissionError(
            "malformed", "neuron_importance", f"an array of shape {importance.shape} for {units[0]} units"
        )
    return importance


def narrowed(bench: Workbench, keep_ratio: float, importance_of: str = "activity") -> Sequential:
    """The shared model with that share of both hidden layers' units: the busiest, or any."""
    model, rng = bench.base, np.random.default_rng(0)
    for layer_index in (0, 2):
        importance = bench.student.neuron_importance(model, layer_index, bench.few.images[:2000])
        if importance_of == "chance":
            importance = rng.random(len(importance), dtype=np.float32)
        model = bench.student.prune_neurons(model, layer_index, importance, keep_ratio)
    return model


def retrained(bench: Workbench, model: Sequential, epochs: int = 2) -> Sequential:
    """Fine-tuned with every weight kept."""
    masks = [np.ones(layer.weight.shape, bool) for layer in model.layers if isinstance(layer, WeightedLayer)]
    return bench.student.finetune(model, masks, bench.few, epochs=epochs, learning_rate=0.02, batch_size=64)


def accuracy_by_keep_ratio(bench: Workbench) -> dict[str, Curve]:
    """Percent of the units kept -> percent accurate."""

    def curve(make: Callable[[float], Sequential]) -> Callable[[], Curve]:
        return lambda: [(100 * ratio, bench.accuracy(make(ratio))) for ratio in KEEP_RATIOS]

    return each_that_works(
        {
            "units kept by chance": curve(lambda ratio: narrowed(bench, ratio, "chance")),
            "the busiest units kept": curve(lambda ratio: narrowed(bench, ratio)),
            "the busiest, then fine-tuned": curve(lambda ratio: retrained(bench, narrowed(bench, ratio))),
        }
    )


def inference_seconds(
    models: dict[str, Sequential], images: np.ndarray, rounds: int = 21
) -> dict[str, float]:
    """Median time of `predict` on the first 1,000 images, the models in turns so that noise meets all alike."""
    images = np.ascontiguousarray(images[:TIMED_IMAGES])
    times: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, model in models.items():
            started = time.perf_counter()
            model.predict(images)
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def dense_masked_removed(bench: Workbench, keep_ratio: float = 0.2) -> dict[str, Sequential]:
    """The shared model; with most weights masked; with most units removed, to as many weights as are left."""
    removed = narrowed(bench, keep_ratio)
    left = sum(array.size for array in removed.parameters() if array.ndim > 1)
    total = sum(array.size for array in bench.base.parameters() if array.ndim > 1)
    return {
        "dense": bench.base,
        "masked": bench.student.prune(bench.base, 1 - left / total),
        "removed": removed,
    }


# ------------------------------------------------------------------------- part 6: everything together


@dataclass(frozen=True)
class Entry:
    """A way to make the shared model small, measured as the grader measures: the file that was unpacked."""

    name: str
    size_bytes: int
    accuracy_percent: float
    milliseconds: float
    score: float
    artifact: bytes


def ways(bench: Workbench) -> dict[str, Callable[[], Sequential]]:
    """What can be made of the shared model with the student's functions, from one technique to all four."""
    student, base = bench.student, bench.base

    def distilled() -> Sequential:
        return student.distill(
            small_network(units=30), base, bench.few, epochs=10, learning_rate=0.02, batch_size=64
        )

    def pruned_and_shared() -> Sequential:
        return student.quantize_model(pruned_and_tuned(bench, 0.9, epochs=3), 4, scheme="kmeans")

    def narrow_and_light() -> Sequential:
        narrow = distilled()
        masks = student.global_magnitude_masks(narrow, 0.8)
        light = student.finetune(narrow, masks, bench.few, epochs=5, learning_rate=0.02, batch_size=64)
        return student.quantize_model(light, 4, scheme="kmeans")

    return {
        "shared model": lambda: base,
        "8 bits": lambda: student.quantize_model(base, 8),
        "90 % pruned, fine-tuned": lambda: pruned_and_tuned(bench, 0.9, epochs=3),
        "one unit in five, fine-tuned": lambda: retrained(bench, narrowed(bench, 0.2), epochs=3),
        "distilled to 30 units": distilled,
        "pruned, 4-bit codebook": pruned_and_shared,
        "distilled, pruned, 4-bit codebook": narrow_and_light,
        YOURS: lambda: student.compress(base, bench.mnist.data, BUDGET_BYTES, seed=0),
    }


YOURS = "your compress()"


def measured(bench: Workbench, artifacts: dict[str, bytes]) -> list[Entry]:
    """What each packed file is worth: it is unpacked, and that model is measured. All are timed in turns."""
    unpacked = {name: unpack(artifact) for name, artifact in artifacts.items()}
    seconds = inference_seconds(unpacked, bench.mnist.validation.images)
    entries = []
    for name, artifact in artifacts.items():
        accuracy = bench.accuracy(unpacked[name])
        points = score(accuracy, len(artifact), REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES)
        entries.append(Entry(name, len(artifact), accuracy, 1000 * seconds[name], points, artifact))
    return entries


def pareto_front(entries: Sequence[Entry]) -> list[Entry]:
    """Those that no other beats in both bytes and accuracy, smallest first."""
    front: list[Entry] = []
    for one in sorted(entries, key=lambda one: (one.size_bytes, -one.accuracy_percent)):
        if not front or one.accuracy_percent > front[-1].accuracy_percent:
            front.append(one)
    return front
