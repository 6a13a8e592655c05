"""The file format that everything is measured by: models come back bit for bit, every byte accounted for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assignment import entropy
from assignment.artifact import ledger, pack, unpack
from assignment.entropy import Encoder, Fields
from assignment.nn import AvgPool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Reshape, Sequential
from assignment.structure import code_structure, specs_of
from tests.artifact_models import (
    FILLERS,
    any_bits,
    assert_same,
    dense_model,
    every_layer,
    filled,
    grid,
    normal,
    small_file,
)


@pytest.mark.parametrize("name", FILLERS)
@pytest.mark.parametrize("build", [dense_model, every_layer])
def test_models_come_back_bit_for_bit(build: Callable[[], Sequential], name: str) -> None:
    model = filled(build(), FILLERS[name])
    data = pack(model)
    assert_same(model, unpack(data))
    assert ledger(data)[0].size_bytes < 24


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_models_of_any_make_come_back(data: st.DataObject) -> None:
    """Every array of its own kind, sizes from 1 up, layers in any order that chains."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    size = data.draw(st.integers(1, 9))
    layers: list[Layer] = []
    channels, side = data.draw(st.integers(1, 3)), size
    if data.draw(st.booleans()):
        layers.append(Reshape((channels, side, side)))
        for kind in data.draw(st.lists(st.sampled_from(["conv", "max", "avg", "relu"]), max_size=4)):
            if kind == "conv":
                kernel, stride = data.draw(st.integers(1, side)), data.draw(st.integers(1, 2))
                padding, units = data.draw(st.integers(0, 1)), data.draw(st.integers(1, 5))
                layers.append(Conv2D(channels, units, kernel, stride, padding))
                channels, side = units, (side + 2 * padding - kernel) // stride + 1
            elif kind == "relu":
                layers.append(ReLU())
            else:
                pool = data.draw(st.integers(1, side))
                layers.append(MaxPool2D(pool) if kind == "max" else AvgPool2D(pool))
                side //= pool
        layers.append(Flatten())
        features = channels * side * side
    else:
        features = data.draw(st.integers(1, 40))
    for units in data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=3)):
        layers += [Dense(features, units), ReLU()]
        features = units
    model = Sequential(layers)
    for layer in layers:
        if isinstance(layer, (Dense, Conv2D)):
            layer.weight = FILLERS[data.draw(st.sampled_from(list(FILLERS)))](rng, layer.weight.shape)
            layer.bias = FILLERS[data.draw(st.sampled_from(list(FILLERS)))](rng, layer.bias.shape)
    assert_same(model, unpack(pack(model)))


def test_the_same_model_gives_the_same_bytes() -> None:
    data = pack(filled(every_layer(), grid(0.1)))
    assert pack(unpack(data)) == data


def test_arrays_in_any_memory_order_pack_alike() -> None:
    model = filled(dense_model(), normal)
    twin = model.copy()
    wide = np.zeros((144, 24), np.float32)
    wide[:, ::2] = twin.layers[0].weight
    twin.layers[0].weight = wide[:, ::2]
    twin.layers[2].weight = np.asfortranarray(twin.layers[2].weight)
    assert pack(twin) == pack(model)


def test_an_unpacked_model_can_be_trained_on() -> None:
    """Its arrays are its own, writable and in C order."""
    for array in unpack(pack(filled(every_layer(), grid(0.25)))).parameters():
        assert array.flags.writeable
        assert array.flags.c_contiguous


def test_packing_leaves_the_model_alone() -> None:
    model = filled(every_layer(), any_bits)
    before = model.copy()
    pack(model)
    assert_same(before, model)


def test_golden_bytes_of_the_smallest_models() -> None:
    """By hand, as shares of [0, 1), a one taking the lower part; what is unusual is a one, at first at 1/6.

    No layers: input as usual: [1/6, 1). Then not the usual layer: [1/6, 0.3056), nor the one that comes second:
    [1/6, 0.18982). Then the end, 7 = 111, of which the first 1 at 1/6, the others at 1/2: [1/6, 0.16763), or
    [10922.67, 10985.9) / 65536, and a trifle lower since probabilities are whole 65536ths: two bytes, 2a aa = 10922.
    One ReLU: as before to [1/6, 0.18982); kind 2 = 010, 0 and 1 at 1/6, 0 at 1/2: [0.172132, 0.173740). Then the end:
    not the usual layer, a one where two zeros and a one were seen, 3/8: [0.172132, 0.172735); but the one that comes
    second, a zero: [0.172233, 0.172735), or [11287.4, 11320.4) / 65536: two bytes, 2c 17 = 11287, for the same reason.
    """
    assert pack(Sequential([])) == b"\xf1\x2a\xaa"
    assert pack(Sequential([ReLU()])) == b"\xf1\x2c\x17"


def test_the_ledger_accounts_for_every_byte() -> None:
    small = small_file()
    rows = ledger(small)
    assert sum(row.size_bytes for row in rows) == pytest.approx(len(small))
    assert all(row.size_bytes > 0 for row in rows)
    assert [(row.layer_index, row.array) for row in rows] == [
        (None, "header"), (1, "weight"), (1, "bias"), (4, "weight"), (4, "bias"), (6, "weight"), (6, "bias"),
    ]  # fmt: skip
    assert rows[1].layer == "Conv2D(1, 3, 3, stride=1, padding=0)"
    assert rows[1].shape == (3, 1, 3, 3)


def test_the_ledger_gives_zero_order_entropy() -> None:
    """Half zeros, half of one value: a bit an entry."""
    weight = np.zeros((784, 10), np.float32)
    weight[:, ::2] = 0.5
    row = ledger(pack(Sequential([Dense.from_arrays(weight, np.zeros(10, np.float32))])))[1]
    assert row.entropy_bytes == pytest.approx(784 * 10 / 8)
    assert row.size_bytes < 200, "and stripes are easily predicted"


def test_structure_of_every_layer_comes_back_alone() -> None:
    encoder = Encoder()
    specs = code_structure(Fields(encoder), specs_of(every_layer()))
    decoder = entropy.Decoder(encoder.finish())
    assert code_structure(Fields(decoder), None) == specs
    decoder.finish()
