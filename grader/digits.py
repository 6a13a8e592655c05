"""The images that decide in the end: the odd half of the test set under a secret jitter, or an instructor's own.

MNIST's test labels are known to everybody, so the odd half is no secret. Moved and turned a little, by what
nobody knows before the results are out, it cannot be answered from a list.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from assignment.data import decompressed
from assignment.nn import Dataset
from assignment.nn.distort import affine_field, sample
from grader import UnusableError

SIDE = 28
SHIFT_PIXELS, DEGREES = 1.0, 5.0
KEY_BYTES = 32
GROUP = 1000
BYTES, INTEGERS = 0x08, 0x0C
"""The types of an IDX file that are read: unsigned bytes, and QMNIST's four-byte integers."""


def jittered(dataset: Dataset, key: bytes) -> Dataset:
    """Each image shifted by up to a pixel and turned by up to 5 degrees, by draws that follow from the key."""
    rng = np.random.default_rng(np.frombuffer(hashlib.sha256(b"jitter" + key).digest(), np.uint32))
    count = len(dataset)
    rows, columns = affine_field(rng, count, SIDE, DEGREES, 0.0, 0.0, SHIFT_PIXELS)
    return Dataset(sample(dataset.images, rows, columns, group=1), dataset.labels)


def read_key(path: Path) -> bytes:
    """Raises UnusableError unless the file holds a key as `new_key` writes it."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise UnusableError(f"{path} holds no key ({error}): make one with --new-key FILE") from error
    if len(key) != KEY_BYTES:
        raise UnusableError(f"a key has {2 * KEY_BYTES} hexadecimal digits, and {path} holds {2 * len(key)}")
    return key


def own_digits(images: Path, labels: Path, skip: int = 0) -> Dataset:
    """An instructor's digits, from IDX files as MNIST's or QMNIST's, gzipped or not, less the first `skip`.

    Raises UnusableError where a file is none, or the two do not belong together.
    """
    pixels, classes = read_idx(images), read_idx(labels)
    if pixels.ndim != 3 or pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
        raise UnusableError(f"{images} must hold images of {SIDE} x {SIDE} bytes, got {pixels.shape}")
    if classes.ndim == 2:
        classes = classes[:, 0]  # QMNIST's first column; the others say who wrote it
    if classes.shape != (len(pixels),):
        raise UnusableError(
            f"{labels} must hold one label for each of {len(pixels):,} images, got {classes.shape}"
        )
    if classes.size and not (classes.min() >= 0 and classes.max() <= 9):
        raise UnusableError(f"{labels} must hold digits from 0 to 9, got {classes.min()} to {classes.max()}")
    if not 0 <= skip < len(pixels):
        raise UnusableError(f"--skip must leave some of the {len(pixels):,} images, got {skip}")
    rows = pixels[skip:].reshape(len(pixels) - skip, -1)
    return Dataset(rows.astype(np.float32) / np.float32(255), classes[skip:].astype(np.int64))


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file: two zero bytes, the type, the number of dimensions, each in 4 bytes, the data."""
    try:
        plain = decompressed(path.read_bytes())
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UnusableError(f"{path} {error}") from error
    if len(plain) < 4 or plain[:2] != b"\0\0" or plain[2] not in (BYTES, INTEGERS) or not 1 <= plain[3] <= 3:
        raise UnusableError(
            f"{path} is not an IDX file of bytes or integers (it starts with {plain[:4].hex()})"
        )
    start = 4 + 4 * plain[3]
    shape = [int.from_bytes(plain[at : at + 4], "big") for at in range(4, start, 4)]
    kind = np.dtype(np.uint8) if plain[2] == BYTES else np.dtype(">i4")
    promised = start + int(np.prod(shape, dtype=object)) * kind.itemsize
    if len(plain) != promised:
        raise UnusableError(f"{path} has {len(plain):,} bytes where its header promises {promised:,}")
    return np.frombuffer(plain, kind, offset=start).reshape(shape)
