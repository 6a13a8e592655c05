"""The canary: a second model and the digits to match, which no submission has ever seen.

    python -m grader canary FOLDER         # once for a course; the folder stays private
    python -m grader grade PATH --canary FOLDER

The digits are MNIST's under a secret change that leaves them images: one of the square's eight symmetries, a
fixed shear and stretch, other names for the ten classes. A recipe that compresses what it is given does as
well there; an answer that was carried in does not. What the change is follows from the secret alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import secrets
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assignment.data import Mnist, load_mnist
from assignment.nn import Dataset, Dense, ReLU, Sequential, evaluate
from assignment.nn.distort import sample
from assignment.shared_model import ARRAY_NAMES, weights_sha256
from grader import GraderError, UnusableError
from grader.baseline import Recipe, train
from grader.rules import ROOT

SECRET, WEIGHTS, CARD = "secret", "canary.npz", "canary.json"
SIDE = 28
SHEAR, STRETCH = (0.10, 0.25), (0.85, 1.15)
"""Of pixels sideways for a row, either way; of heights and widths. A digit stays within the frame."""


@dataclass(frozen=True)
class Change:
    """What is done to every image, and to its label.

    symmetry: 0 to 7, quarter turns and a mirror. rows, columns: (784,) float32, where each pixel is read
    from. labels: (10,) int64, the new name of each class.
    """

    symmetry: int
    rows: np.ndarray
    columns: np.ndarray
    labels: np.ndarray

    def apply(self, dataset: Dataset) -> Dataset:
        squares = dataset.images.reshape(-1, SIDE, SIDE)
        turned = np.rot90(squares, self.symmetry % 4, axes=(1, 2))
        mirrored = turned[:, :, ::-1] if self.symmetry >= 4 else turned
        flat = np.ascontiguousarray(mirrored).reshape(len(dataset), -1)
        images = sample(flat, self.rows[None], self.columns[None], group=len(dataset))
        return Dataset(images, self.labels[dataset.labels])


@dataclass(frozen=True)
class Canary:
    """model: trained on the changed digits. mnist: those digits, split as MNIST is."""

    model: Sequential
    mnist: Mnist


def change_of(secret: bytes) -> Change:
    """The change that follows from a secret."""
    rng = np.random.default_rng(np.frombuffer(hashlib.sha256(b"canary" + secret).digest(), np.uint32))
    symmetry = int(rng.integers(8))
    slant = rng.uniform(*SHEAR) * rng.choice((-1.0, 1.0))
    tall, wide = rng.uniform(*STRETCH, 2)
    centre = (SIDE - 1) / 2
    y, x = (axis.ravel() - centre for axis in np.mgrid[:SIDE, :SIDE])
    rows = (tall * y + centre).astype(np.float32)
    columns = (wide * x + slant * y + centre).astype(np.float32)
    return Change(symmetry, rows, columns, rng.permutation(10))


def changed(mnist: Mnist, change: Change) -> Mnist:
    apply = change.apply
    return replace(
        mnist, train=apply(mnist.train), validation=apply(mnist.validation), test=apply(mnist.test)
    )


def make(folder: Path, *, epochs: int) -> dict[str, object]:
    """Draw a secret, train a model on what it makes of the digits, write all of it; returns the card.

    Raises UnusableError where `folder` is in the repository, or is there already.
    """
    if folder.resolve().is_relative_to(ROOT):
        raise UnusableError(
            f"{folder} is in the repository: a canary must stay outside, where nobody commits it"
        )
    if folder.exists():
        raise UnusableError(f"{folder} is there already: a new canary goes into a new folder")
    if not folder.resolve().parent.is_dir():
        raise UnusableError(f"there is no folder {folder.parent} to make {folder.name} in")
    secret = secrets.token_bytes(32)
    mnist = load_mnist()
    digits = changed(mnist, change_of(secret))
    seed = int.from_bytes(hashlib.sha256(b"training" + secret).digest()[:4], "big")
    model = train(digits.train, seed=seed, recipe=replace(Recipe(), epochs=epochs))
    arrays = dict(zip(ARRAY_NAMES, model.parameters(), strict=True))
    card = {
        "data": mnist.name,
        "epochs": epochs,
        "validation_accuracy_percent": round(100 * evaluate(model, digits.validation), 4),
        "weights_sha256": weights_sha256(arrays.values()),
        "secret_sha256": hashlib.sha256(secret).hexdigest(),
    }
    with tempfile.TemporaryDirectory(dir=folder.resolve().parent, prefix=f".{folder.name}.") as made:
        inside = Path(made, "canary")
        inside.mkdir(mode=0o700)
        np.savez(inside / WEIGHTS, allow_pickle=False, **arrays)
        (inside / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        (inside / SECRET).write_text(secret.hex() + "\n", encoding="utf-8")
        (inside / SECRET).chmod(0o600)
        inside.rename(folder)
    return card


def read(folder: Path, mnist: Mnist) -> Canary:
    """The canary of that folder for these digits. Raises GraderError where it is not whole, or for others."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        secret = bytes.fromhex((folder / SECRET).read_text(encoding="utf-8"))
        with np.load(folder / WEIGHTS, allow_pickle=False) as file:
            arrays = [file[name] for name in ARRAY_NAMES]
        made_for, expected = card["data"], (card["weights_sha256"], card["secret_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GraderError(
            f"{folder} holds no whole canary ({error}): make one with `grader canary`"
        ) from error
    if expected != (weights_sha256(arrays), hashlib.sha256(secret).hexdigest()):
        raise GraderError(f"{folder} holds another canary than its card says: make a new one")
    if made_for != mnist.name:
        raise GraderError(f"the canary in {folder} was made for {made_for}, and the data are {mnist.name}")
    layers = [Dense.from_arrays(*pair) for pair in zip(arrays[::2], arrays[1::2], strict=True)]
    model = Sequential([layers[0], ReLU(), layers[1], ReLU(), layers[2]])
    return Canary(model, changed(mnist, change_of(secret)))


def add_command(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "canary",
        help="make the second model that submissions are checked with",
        description="Train a model on digits under a secret change; `grade --canary FOLDER` uses it.",
        epilog="Keep FOLDER private: who knows the secret can prepare for it.",
    )
    command.add_argument("folder", metavar="FOLDER", type=Path, help="a new folder, outside the repository")
    command.add_argument(
        "--epochs", type=int, default=Recipe.epochs, metavar="N", help=f"default: {Recipe.epochs}"
    )
    command.set_defaults(run=run_command)


def run_command(options: argparse.Namespace) -> int:
    card = make(options.folder, epochs=options.epochs)
    print(
        f"{options.folder}: {card['validation_accuracy_percent']:.2f} % of changed {card['data']} validation digits"
    )
    return 0
