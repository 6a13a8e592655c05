"""Format version 1 is pinned: golden files decode to the same bits for ever, and are what `pack` still writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assignment.artifact import pack, unpack

GOLDEN = Path(__file__).parent / "golden"
MODELS = json.loads((GOLDEN / "models.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODELS)
def test_golden_files_decode_to_the_same_bits(name: str) -> None:
    """A file that was ranked must never mean another model. Whoever breaks this has made a new version."""
    model = unpack((GOLDEN / f"{name}.fw").read_bytes())
    assert [type(layer).__name__ for layer in model.layers] == [row["kind"] for row in MODELS[name]]
    assert [json.loads(json.dumps(layer.config())) for layer in model.layers] == [
        row["settings"] for row in MODELS[name]
    ]
    shapes = [tuple(shape) for row in MODELS[name] for shape in row["shapes"]]
    assert [array.shape for array in model.parameters()] == shapes
    bits = b"".join(np.ascontiguousarray(array, "<f4").tobytes() for array in model.parameters())
    assert bits == (GOLDEN / f"{name}.f32").read_bytes()


@pytest.mark.parametrize("name", MODELS)
def test_golden_files_are_what_pack_writes(name: str) -> None:
    """On every machine: sizes are scores. (A better packer may change this one, never the one above.)"""
    data = (GOLDEN / f"{name}.fw").read_bytes()
    assert pack(unpack(data)) == data


def test_every_golden_file_is_listed() -> None:
    assert {path.stem for path in GOLDEN.glob("*.fw")} == set(MODELS)
