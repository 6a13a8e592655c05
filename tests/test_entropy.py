"""The coder under the artifact: bits come back, cost what they surprise, and nothing else decodes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assignment.coding import Alphabet, SymbolCoder
from assignment.contexts import Layout
from assignment.entropy import HALF, ONE, ArtifactError, Decoder, Encoder, Fields, affordable, final_bytes
from assignment.mixing import LOG, MAX_BATCH, ODDS_LIMIT, SQUASH, Mixture

probabilities = st.integers(1, ONE - 1) | st.sampled_from([1, 2, 16, HALF, ONE - 16, ONE - 2, ONE - 1])
streams = st.lists(st.tuples(st.integers(0, 1), probabilities), max_size=400)


def encoded(stream: list[tuple[int, int]]) -> bytes:
    encoder = Encoder()
    encoder.code([bit for bit, _ in stream], [p for _, p in stream])
    return encoder.finish()


def cost_bits(stream: list[tuple[int, int]]) -> float:
    return -sum(math.log2((p if bit else ONE - p) / ONE) for bit, p in stream)


def decoded(data: bytes, chances: list[int]) -> list[int]:
    decoder = Decoder(data)
    bits = decoder.code([0] * len(chances), chances)
    decoder.finish()
    return bits


@given(streams)
def test_bits_come_back_and_cost_their_surprise(stream: list[tuple[int, int]]) -> None:
    """Whatever the bits and however wrong the predictions; two bytes at most go to ending the stream."""
    data = encoded(stream)
    assert decoded(data, [p for _, p in stream]) == [bit for bit, _ in stream]
    assert len(data) <= cost_bits(stream) * 1.002 / 8 + 2


@pytest.mark.parametrize("bit", [0, 1])
@pytest.mark.parametrize("probability", [1, HALF, ONE - 1])
def test_long_runs_come_back(bit: int, probability: int) -> None:
    """Certain, even and impossible bits, thousands of them: where carries and renormalisation go wrong."""
    stream = [(bit, probability)] * 3000
    data = encoded(stream)
    assert decoded(data, [probability] * 3000) == [bit] * 3000
    assert len(data) <= cost_bits(stream) * 1.002 / 8 + 2


def test_carries_run_through_bytes_of_255() -> None:
    """Least likely zeros push the low end up against the top, so that a carry has to run far back."""
    rng = np.random.default_rng(5)
    for _ in range(50):
        stream = [(0, ONE - 1)] * 3 + [(1, 1)] * int(rng.integers(1, 12))
        stream += [(0, int(p)) for p in rng.integers(1, ONE, 6)] + [(0, 1)] * 40 + [(0, ONE - 1)] * 4
        assert decoded(encoded(stream), [p for _, p in stream]) == [bit for bit, _ in stream]


def test_golden_bytes_of_two_bits() -> None:
    """By hand: range 2**32 - 1; the first bit, 1 at a half, keeps [0, 65535 * 32768) = [0, 0x7fff8000).

    The second, 0 at a half, leaves [32767 * 32768, 0x7fff8000) = [0x3fff8000, 0x7fff8000) to name: 0x40
    is the first byte all of whose continuations lie in it.
    """
    assert encoded([(1, HALF), (0, HALF)]) == b"\x40"


def test_final_bytes_are_the_fewest() -> None:
    """[0x12345678, +0x01000000): 0x13 begins inside but 0x13ffffff lies beyond; 0x1235 does not."""
    assert final_bytes(0x12345678, 1 << 24) == (0x1235, 2)
    assert final_bytes(0x12000000, 1 << 24) == (0x12, 1)
    assert final_bytes(0xFFFFFFF0, 1 << 31) == (0x100, 1)  # with the carry above its byte


def test_every_truncation_is_refused() -> None:
    rng = np.random.default_rng(1)
    stream = [(int(rng.random() < 0.3), 20000) for _ in range(300)]
    data = encoded(stream)
    for size in range(len(data)):
        with pytest.raises(ArtifactError):
            decoded(data[:size], [20000] * 300)


def test_trailing_bytes_are_refused() -> None:
    data = encoded([(1, HALF)] * 20)
    for extra in (b"\0", b"\xff", b"\0" * 8):
        with pytest.raises(ArtifactError):
            decoded(data + extra, [HALF] * 20)


@given(st.lists(st.tuples(st.integers(0, 32), st.integers(0, 70)), max_size=5), st.integers(0, 2**32 - 1))
def test_raw_integers_come_back_beside_coded_bits(blocks: list[tuple[int, int]], seed: int) -> None:
    """Raw bits fill the file from its end, in no more bytes than they need."""
    rng = np.random.default_rng(seed)
    values = [
        rng.integers(0, 1 << width, count, dtype=np.uint64).astype(np.uint32) for width, count in blocks
    ]
    encoder = Encoder()
    for block, (width, count) in zip(values, blocks, strict=True):
        encoder.code([1, 0], [HALF, 9])
        encoder.raw(block, count, width)
    data = encoder.finish()
    assert len(data) <= 2 + len(blocks) / 8 + 1 + sum(w * c for w, c in blocks) / 8
    decoder = Decoder(data)
    for block, (width, count) in zip(values, blocks, strict=True):
        assert decoder.code([0, 0], [HALF, 9]) == [1, 0]
        assert (decoder.raw(None, count, width) == block).all()
    decoder.finish()


def test_raw_padding_must_be_zero() -> None:
    encoder = Encoder()
    encoder.code([1], [HALF])
    encoder.raw(np.array([5], np.uint32), 1, 3)
    data = bytearray(encoder.finish())
    data[-1] |= 1
    decoder = Decoder(bytes(data))
    decoder.code([0], [HALF])
    decoder.raw(None, 1, 3)
    with pytest.raises(ArtifactError, match="padding"):
        decoder.finish()


def test_raw_claims_are_checked_before_memory_is_taken() -> None:
    with pytest.raises(ArtifactError, match="too early"):
        Decoder(bytes(20)).raw(None, 10**9, 32)


def test_spent_bits_agree_between_encoder_and_decoder() -> None:
    """The ledger reads costs off the decoder; they are those the encoder paid."""
    encoder = Encoder()
    encoder.code([1, 0, 1], [HALF, 3000, 100])
    encoder.raw(np.arange(5, dtype=np.uint32), 5, 3)
    decoder = Decoder(encoder.finish())
    decoder.code([0, 0, 0], [HALF, 3000, 100])
    decoder.raw(None, 5, 3)
    assert decoder.spent() == pytest.approx(encoder.spent())
    assert encoder.spent() == pytest.approx(15 + cost_bits([(1, HALF), (0, 3000), (1, 100)]), abs=0.01)


def test_work_is_bounded_by_bytes() -> None:
    """Bits that are all but certain cost next to nothing; a decoder still stops at a few million of them."""
    decoder = Decoder(bytes(2000))

    def decode_for_ever() -> None:
        while True:
            decoder.code([0] * MAX_BATCH, [ONE - 1] * MAX_BATCH)

    with pytest.raises(ArtifactError, match="more work"):
        decode_for_ever()
    assert affordable(0, 0, 0)
    assert not affordable(10**6, 0, 1000)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1000)), max_size=40))
def test_numbers_come_back(numbers: list[tuple[str, int]]) -> None:
    encoder = Encoder()
    fields = Fields(encoder)
    for context, value in numbers:
        fields.number(context, value, 1000)
        fields.choice(context, value % 8, 3)
        fields.bits(value, 10)
    decoder = Decoder(encoder.finish())
    fields = Fields(decoder)
    for context, value in numbers:
        found = fields.number(context, 0, 1000), fields.choice(context, 0, 3), fields.bits(0, 10)
        assert found == (value, value % 8, value)
    decoder.finish()


def test_a_number_beyond_its_limit_is_refused_both_ways() -> None:
    with pytest.raises(ArtifactError, match="at most 4, got 5"):
        Fields(Encoder()).number("units", 5, 4)
    encoder = Encoder()
    Fields(encoder).number("units", 6, 6)
    with pytest.raises(ArtifactError, match="at most 5, got 6"):
        Fields(Decoder(encoder.finish())).number("units", 0, 5)


def test_tables_are_those_of_the_format() -> None:
    """Integers that every decoder must share: spot values worked out from the definitions."""
    assert LOG[:5].tolist() == [0, 256, 405, 512, 594]  # 256 log2 of 1..5: 0, 256, 405.75, 512, 594.4
    assert SQUASH[ODDS_LIMIT] == HALF
    assert SQUASH[ODDS_LIMIT + 256] == ONE * 2 // 3  # odds of 2
    assert (np.diff(SQUASH) >= 0).all()
    assert 0 < SQUASH[0] < 20
    assert (SQUASH + SQUASH[::-1] == ONE).all()


def mixture(slots: int, inputs: int) -> Mixture:
    return Mixture(slots, np.full((1, inputs), ONE // 3))


def nothing(count: int) -> np.ndarray:
    """No odds that the caller knows."""
    return np.zeros((0, count), np.int64)


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_mixtures_come_back_whatever_the_bits(seed: int, count: int, chance: float) -> None:
    rng = np.random.default_rng(seed)
    slots = rng.integers(0, 10, (3, count)) + np.array([[0], [10], [20]])
    bits = (rng.random(count) < chance).astype(np.int64)
    encoder = Encoder()
    mixture(30, 3).code(encoder, slots, nothing(count), 0, bits)
    decoder = Decoder(encoder.finish())
    assert (mixture(30, 3).code(decoder, slots, nothing(count), 0, np.zeros(count, np.int64)) == bits).all()
    decoder.finish()


def test_a_mixture_finds_the_input_that_knows() -> None:
    """Three inputs see noise, one sees the bit itself: 4,000 bits should cost far less than 4,000."""
    rng = np.random.default_rng(2)
    bits = rng.integers(0, 2, 4000)
    slots = np.stack([rng.integers(0, 8, 4000), 8 + rng.integers(0, 8, 4000), 16 + bits, np.full(4000, 18)])
    encoder = Encoder()
    mixture(19, 4).code(encoder, slots, nothing(4000), 0, bits)
    assert encoder.spent() < 300


def test_a_mixture_costs_little_where_nothing_can_be_known() -> None:
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2, 4000)
    slots = np.stack([rng.integers(0, 8, 4000), 8 + rng.integers(0, 8, 4000)])
    encoder = Encoder()
    mixture(16, 2).code(encoder, slots, nothing(4000), 0, bits)
    assert encoder.spent() < 4000 * 1.03


def symbols_through(symbols: np.ndarray, layout: Layout, hints: np.ndarray | None = None) -> int:
    """Round trip of a matrix; its size in bytes."""
    negatives, positives = max(-int(symbols.min()), 0), max(int(symbols.max()), 0)
    alphabet = Alphabet(negatives, positives, bool((symbols == 0).any()))
    encoder = Encoder()
    SymbolCoder(encoder).code(symbols, layout, alphabet, 0, hints)
    data = encoder.finish()
    decoder = Decoder(data)
    assert (SymbolCoder(decoder).code(None, layout, alphabet, 0, hints) == symbols).all()
    decoder.finish()
    return len(data)


LAYOUTS = [Layout(1, 5, 4, 3), Layout(3, 2, 2, 5), Layout(20, 1, 1, 7), Layout(12, 1, 1, 1), Layout(1, 4, 1, 2),
           Layout(1, 1, 3, 600)]  # fmt: skip


@given(
    st.sampled_from(LAYOUTS),
    st.sampled_from([1, 2, 16, 17, 255, 32767]),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_matrices_come_back_in_any_layout(layout: Layout, largest: int, zeros: float, seed: int) -> None:
    """Pictures, planes, plain rows, single columns, several strips; small and huge alphabets."""
    rng = np.random.default_rng(seed)
    symbols = rng.integers(-largest, largest + 1, (layout.rows, layout.columns))
    symbols[rng.random(symbols.shape) < zeros] = 0
    if not symbols.any():
        symbols[0, 0] = 1
    hints = rng.integers(0, 13, layout.rows) if seed % 2 else None
    symbols_through(symbols, layout, hints)


def entropy_bytes(symbols: np.ndarray) -> float:
    _, counts = np.unique(symbols, return_counts=True)
    return float(-(counts * np.log2(counts / symbols.size)).sum()) / 8


def test_structure_costs_less_than_zero_order_entropy() -> None:
    """Weights in the middle of the picture, in busy units, with neighbours of one sign: 15 % can be had."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:28, 0:28]
    centre = np.exp(-((y - 13.5) ** 2 + (x - 13.5) ** 2) / 60).reshape(-1, 1)
    busy = rng.random(30) * 2
    waves = np.sin(y[..., None] * rng.random(30) + x[..., None] * rng.random(30)).reshape(784, 30)
    values = np.round((waves + rng.standard_normal((784, 30)) * 0.5) * 4).clip(-7, 7).astype(np.int64)
    values[rng.random((784, 30)) > 0.6 * centre * busy] = 0
    assert symbols_through(values, Layout(1, 28, 28, 30)) < 0.85 * entropy_bytes(values)


def test_noise_costs_hardly_more_than_its_entropy() -> None:
    rng = np.random.default_rng(8)
    values = np.round(rng.standard_normal((400, 50)) * 1.2).astype(np.int64)
    assert symbols_through(values, Layout(400, 1, 1, 50)) < 1.02 * entropy_bytes(values)


def test_empty_kernel_planes_cost_next_to_nothing() -> None:
    """A depthwise convolution, as it is written here: of 16 x 16 planes only the diagonal is not zero."""
    rng = np.random.default_rng(9)
    kernels = np.zeros((16, 9, 16), np.int64)
    for channel in range(16):
        kernels[channel, :, channel] = rng.integers(1, 8, 9) * rng.choice([-1, 1], 9)
    size = symbols_through(kernels.reshape(144, 16), Layout(16, 3, 3, 16))
    assert size < 144 * 4 / 8 + 70  # four bits a weight, and where they are


def test_a_field_that_was_one_thing_for_very_long_can_still_be_another():
    """After 32,768 zeros the chance of a 1 rounds to nothing; a range of nothing would never grow again."""
    values = [0] * (HALF + 10) + [1, 0, 2]
    encoder = Encoder()
    fields = Fields(encoder)
    for value in values:
        fields.number("levels", value, 255)
        fields.bits(value, 24)  # bytes, so that the file pays for the work of reading it
    fields = Fields(Decoder(encoder.finish()))
    for value in values:
        assert fields.number("levels", 0, 255) == value
        assert fields.bits(0, 24) == value
