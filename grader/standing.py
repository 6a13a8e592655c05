"""Arrays that every submission of a class is given: written once, mapped read-only, linked into each room.

A link is another name of the same file, so no submission waits for a copy, and the memory that the numbers take is
the same for all. A worker sees it as it sees whatever lies in its room's shared folder: to read, and never to write.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from assignment.data import Mnist
from assignment.nn import Dataset


def digits_on_disk(mnist: Mnist, folder: Path) -> Mnist:
    """The same digits, those to learn from as maps of files in `folder`, which is made; the test set stays in memory."""
    folder.mkdir(mode=0o700)

    def kept(dataset: Dataset, name: str) -> Dataset:
        return Dataset(on_disk(dataset.images, folder / f"{name}.npy"), dataset.labels)

    return replace(mnist, train=kept(mnist.train, "train"), validation=kept(mnist.validation, "validation"))


def on_disk(array: np.ndarray, file: Path) -> np.ndarray:
    """The array as a read-only map of `file`, a new one."""
    np.save(file, np.asarray(array, order="C"), allow_pickle=False)
    file.chmod(0o444)
    return np.load(file, mmap_mode="r", allow_pickle=False)


def linked(array: np.ndarray, place: Path) -> bool:
    """Give the file that all of the array is a map of the further name `place`; False where there is no such file."""
    file = file_of(array)
    if file is None:
        return False
    try:
        os.link(file, place)
    except OSError:  # on another disk, or one without links
        return False
    return True


def file_of(array: np.ndarray) -> Path | None:
    """The `.npy` file that this array is a read-only map of, from its first number to its last."""
    whole, each = None, array
    while isinstance(each, np.ndarray):
        if isinstance(each, np.memmap):
            whole = each
        each = each.base  # type: ignore[assignment]
    if whole is None or whole.mode != "r" or whole.filename is None:
        return None
    own, its = array.__array_interface__, whole.__array_interface__
    is_all = array.flags.c_contiguous and all(own[key] == its[key] for key in ("data", "shape", "typestr"))
    file = Path(whole.filename)
    return file if is_all and file.suffix == ".npy" else None
