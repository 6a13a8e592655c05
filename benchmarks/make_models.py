"""Train the small models that the benchmark packs: every way in which students make models small.

    FEATHERWEIGHT_DATA=... python benchmarks/make_models.py                  # benchmarks/models/*.npz
    ... python benchmarks/make_models.py --set tuning --folder /tmp/tuning   # other seeds, widths, grids
    ... python benchmarks/make_models.py --set held-out --folder /tmp/held-out

The coder's tables were learned on the tuning set and on small convolutional networks, see learn_priors.py; its
constants were also tried on committed models. None of the held-out set was learned from, but all of it was looked at
while the coder changed. By default 20,000 images train a model, and few epochs: networks so trained are easier to pack
than those of someone who spends a day on one. Each file has the arrays in order (`0`, `1`, ...) and the layers as JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from assignment.data import load_mnist
from assignment.nn import (
    Adam,
    AvgPool2D,
    Conv2D,
    Dataset,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Reshape,
    Sequential,
    cosine,
    evaluate,
    fit,
    random_shifts,
)
from assignment.nn.layers import WeightedLayer
from assignment.seam import LocalSubmission
from benchmarks.stored_models import FOLDER, save

Array = np.ndarray
SOLUTION = LocalSubmission(Path(__file__).resolve().parent.parent / "solution" / "compression.py")
WARM_UP, SETTLED = 0.3, 0.75  # shares of the training: on the grid from here; pruned for good from here


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one model is made.

    `method`: float, rounded, pruned (and rounded), codebook (pruned, too), or grid (quantization-aware, sparse).
    """

    name: str
    widths: tuple[int, ...] = (100, 30, 10)
    method: str = "grid"
    pool: int = 1  # side of the mean in front
    convolutions: tuple[tuple[int, int], ...] = ()  # (units, kernel) each, a maximum of 2 x 2 behind each
    grid: float = 0.4
    levels: int = 0  # grid: largest level, 0 for any
    price: float = 1e-4  # grid: what a weight costs, see solution/compression.py
    bits: int = 8  # rounded, codebook
    scheme: str = "affine"
    sparsity: float = 0.9  # codebook
    epochs: int = 8
    seed: int = 0


CONVOLUTIONS = ((4, 5), (3, 3), (4, 3))  # with a dense layer of ten units: 697 parameters
SETS = {
    "committed": (
        Recipe("dense-float32", (16, 10), "float"),
        Recipe("dense-8-bit", (32, 10), "rounded", bits=8),
        Recipe("dense-4-bit-unit-grids", (32, 10), "rounded", bits=4, scheme="symmetric"),
        Recipe("deep-compression", (100, 30, 10), "codebook", bits=5),
        Recipe("sparse-8k", (100, 30, 10), price=7e-6),
        Recipe("sparse-4k", (100, 30, 10), price=2e-5, epochs=20),
        Recipe("sparse-2k", (48, 24, 10), price=6e-5, seed=1),
        Recipe("pooled-4k", (100, 30, 10), pool=2, price=1.5e-5),
        Recipe("pooled-2k", (64, 24, 10), pool=2, price=2.7e-5, epochs=20),
        Recipe("tiny", (12, 10), pool=4, price=3e-5, grid=0.5),
        Recipe("convolutional-697", (10,), convolutions=CONVOLUTIONS, grid=0.07, levels=15, price=0.0),
    ),
    "tuning": (
        Recipe("8-bit", (24, 16, 10), "rounded", bits=8, scheme="symmetric", seed=11),
        Recipe("6-bit-affine", (40, 10), "rounded", bits=6, seed=12),
        Recipe("codebook", (64, 32, 10), "codebook", bits=4, sparsity=0.93, seed=13),
        Recipe("sparse-wide", (150, 40, 10), price=2e-5, grid=0.35, seed=14),
        Recipe("sparse-fine", (60, 30, 10), price=3.7e-5, grid=0.2, seed=15),
        Recipe("sparse-coarse", (120, 32, 10), price=3e-5, grid=0.6, seed=16),
        Recipe("sparse-shallow", (80, 10), price=5e-5, grid=0.3, seed=17),
        Recipe("sparse-small", (40, 20, 10), price=1.7e-4, grid=0.5, seed=18),
        Recipe("pooled", (80, 30, 10), pool=2, price=3.7e-5, grid=0.5, seed=19),
        Recipe("pooled-fine", (50, 20, 10), pool=2, price=7.5e-5, grid=0.25, seed=20),
        Recipe("pooled-4", (40, 16, 10), pool=4, price=1.3e-5, grid=0.5, seed=21),
        Recipe("linear", (10,), pool=2, price=7.5e-6, grid=0.2, seed=22),
        Recipe("convolutional", (10,), convolutions=((6, 3), (5, 3), (5, 3)), grid=0.1, levels=7, price=0.0, seed=23),
        Recipe("convolutional-sparse", (10,), convolutions=((6, 5), (10, 3)), grid=0.25, price=2.5e-5, seed=24),
        Recipe("convolutional-5-bit", (10,), convolutions=((4, 3), (4, 3), (4, 3)), grid=0.08, levels=15, price=0.0, seed=25),
        Recipe("convolutional-6-bit", (10,), convolutions=((3, 5), (4, 3), (5, 3)), grid=0.05, levels=31, price=0.0, seed=26),
        Recipe("convolutional-7-bit", (10,), convolutions=((5, 5), (4, 3)), grid=0.03, levels=63, price=0.0, seed=27),
        Recipe("unit-grids-3", (64, 10), "rounded", bits=3, scheme="symmetric", seed=51),
        Recipe("unit-grids-4", (48, 10), "rounded", bits=4, scheme="symmetric", seed=52),
        Recipe("unit-grids-5", (24, 20, 10), "rounded", bits=5, scheme="symmetric", seed=53),
        Recipe("5-bit-affine", (100, 30, 10), "rounded", bits=5, seed=54),
        Recipe("8-bit-affine", (64, 10), "rounded", bits=8, seed=55),
        Recipe("codebook-3", (80, 30, 10), "codebook", bits=3, sparsity=0.95, seed=56),
        Recipe("codebook-5", (120, 40, 10), "codebook", bits=5, sparsity=0.9, seed=57),
        Recipe("codebook-6", (50, 10), "codebook", bits=6, sparsity=0.8, seed=58),
        Recipe("pruned-4", (60, 20, 10), "pruned", bits=4, scheme="symmetric", sparsity=0.85, seed=59),
        Recipe("pruned-8", (100, 30, 10), "pruned", bits=8, sparsity=0.9, seed=60),
    ),
    "held-out": (
        Recipe("rounded", (28, 10), "rounded", bits=7, seed=31),
        Recipe("unit-grids", (36, 20, 10), "rounded", bits=5, scheme="symmetric", seed=32),
        Recipe("codebook", (80, 24, 10), "codebook", bits=5, sparsity=0.85, seed=33),
        Recipe("sparse-1", (110, 40, 10), price=2.8e-5, grid=0.45, seed=34),
        Recipe("sparse-2", (70, 35, 10), price=4.5e-5, grid=0.25, seed=35),
        Recipe("sparse-3", (36, 10), price=1.3e-4, grid=0.4, seed=36),
        Recipe("sparse-4", (200, 50, 10), price=5e-5, grid=0.5, seed=37),
        Recipe("pooled-1", (90, 32, 10), pool=2, price=3e-5, grid=0.4, seed=38),
        Recipe("pooled-2", (40, 20, 10), pool=2, price=6.3e-5, grid=0.35, seed=39),
        Recipe("pooled-4", (24, 10), pool=4, price=1e-5, grid=0.4, seed=40),
        Recipe("convolutional-1", (10,), convolutions=((5, 3), (4, 3), (6, 3)), grid=0.08, levels=15, price=0.0, seed=41),
        Recipe("convolutional-2", (10,), convolutions=((8, 3), (8, 3)), grid=0.2, price=1.5e-5, seed=42),
        Recipe("rounded-6", (20, 10), "rounded", bits=6, seed=43),
        Recipe("unit-grids-3", (44, 10), "rounded", bits=3, scheme="symmetric", seed=44),
        Recipe("codebook-4", (140, 20, 10), "codebook", bits=4, sparsity=0.93, seed=45),
        Recipe("pruned-6", (90, 10), "pruned", bits=6, sparsity=0.92, seed=46),
    ),
}  # fmt: skip


class OnGrid:
    """An optimiser for weights that must lie on a grid: `StraightThrough` of the solution, with its constants free.

    What is exact takes the steps; what the network uses is rounded once it is warm; a price pulls weights to 0.
    """

    def __init__(self, recipe: Recipe, steps: int) -> None:
        self.recipe, self.steps, self.done = recipe, steps, 0
        self.optimizer = Adam(0.01 if recipe.price else 0.004)
        self.exact: list[Array] = []
        self.kept: list[Array] = []

    def step(self, model: Sequential, factor: float = 1.0) -> None:
        arrays, progress = model.parameters(), self.done / self.steps
        self.done += 1
        self.exact = self.exact or [array.copy() for array in arrays]
        price = np.float32(0 if self.kept else self.recipe.price * min(1.0, progress / WARM_UP))
        for array, exact, grad in zip(arrays, self.exact, model.gradients(), strict=True):
            if array.ndim > 1:
                grad += price * np.sign(exact) / (np.abs(exact) + np.float32(0.1))
            array[...] = exact
        self.optimizer.step(model, factor)
        for i, (array, exact) in enumerate(zip(arrays, self.exact, strict=True)):
            if self.kept and array.ndim > 1:
                array[~self.kept[i]] = 0
            exact[...] = array
            if progress >= WARM_UP:
                array[...] = self.rounded(array)
        if not self.kept and progress >= SETTLED and self.recipe.price:
            self.kept = [array != 0 for array in arrays]

    def rounded(self, array: Array) -> Array:
        levels = np.rint(array / np.float32(self.recipe.grid))
        if self.recipe.levels:
            levels = levels.clip(-self.recipe.levels, self.recipe.levels)
        return levels * np.float32(self.recipe.grid)


def untrained(recipe: Recipe) -> Sequential:
    rng, front, channels, side = np.random.default_rng(recipe.seed), list[object](), 1, 28
    if recipe.pool > 1 or recipe.convolutions:
        front.append(Reshape((1, 28, 28)))
    if recipe.pool > 1:
        front.append(AvgPool2D(recipe.pool))
        side //= recipe.pool
    for units, kernel in recipe.convolutions:
        front += [Conv2D(channels, units, kernel, padding=kernel // 2, rng=rng), ReLU(), MaxPool2D(2)]
        channels, side = units, side // 2
    if front:
        front.append(Flatten())
    for inputs, units in pairwise((channels * side * side, *recipe.widths)):
        front += [Dense(inputs, units, rng=rng), ReLU()]
    return Sequential(front[:-1])


def made(recipe: Recipe, train: Dataset) -> Sequential:
    model = untrained(recipe)
    steps = recipe.epochs * -(-len(train) // 128)
    learning = OnGrid(recipe, steps) if recipe.method == "grid" else Adam(1e-3)
    shifts = random_shifts(1) if recipe.method == "grid" else None
    fit(
        model,
        train,
        epochs=recipe.epochs,
        optimizer=learning,
        seed=recipe.seed,
        schedule=cosine,
        augment=shifts,
    )
    if recipe.method == "rounded":
        model = SOLUTION.quantize_model(model, recipe.bits, recipe.scheme)
    if recipe.method in ("codebook", "pruned"):
        masks = SOLUTION.global_magnitude_masks(model, recipe.sparsity)
        model = SOLUTION.finetune(
            SOLUTION.prune(model, recipe.sparsity), masks, train, epochs=2, learning_rate=0.02
        )
        model = SOLUTION.quantize_model(
            model, recipe.bits, "kmeans" if recipe.method == "codebook" else recipe.scheme
        )
    for array in model.parameters():
        array += 0.0  # rounding leaves negative zeros, which the file would have to keep apart
    return model


def recipes(names: list[str], of: str) -> Iterator[Recipe]:
    yield from (recipe for recipe in SETS[of] if not names or recipe.name in names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="models to make (default: the whole set)")
    parser.add_argument("--set", choices=SETS, default="committed")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument(
        "--images", type=int, default=20_000, help="training images to use (default: %(default)s)"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    mnist = load_mnist()
    train = Dataset(mnist.train.images[: options.images], mnist.train.labels[: options.images])
    for recipe in recipes(options.names, options.set):
        model = made(recipe, train)
        save(model, options.folder / f"{recipe.name}.npz")
        parameters = sum(array.size for array in model.parameters())
        zeros = sum(
            int((layer.weight == 0).sum()) for layer in model.layers if isinstance(layer, WeightedLayer)
        )
        print(
            f"{recipe.name:24} {parameters:7,} parameters, {zeros / parameters:5.1%} zeros, "
            f"{evaluate(model, mnist.validation):.2%} of validation images right",
            flush=True,
        )


if __name__ == "__main__":
    main()
