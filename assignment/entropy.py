"""An adaptive binary entropy coder: bits in, nearly as few bits out as their surprise.

A `Mixture` predicts the next bit from several contexts at once, each with a counter of what came
after it before, and weighs the counters by how well they have done (logistic mixing, Mahoney 2005,
"Adaptive weighing of context models for lossless data compression"). A range coder (Martin 1979)
turns predicted bits into bytes. `Encoder` and `Decoder` have the same two methods, so that whoever
describes data bit by bit writes the description once, for both directions:

    bit = mixture.code(coder, slots, bit)     # an Encoder writes `bit`; a Decoder ignores it and finds it

Everything is integer arithmetic with products under 2**53: a file written on one machine decodes on
every other, in any language with doubles.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

ONE = 1 << 16  # probabilities are fractions of this
HALF = ONE >> 1
TOP = 1 << 24  # the range is never smaller between two bits
MASK = (1 << 32) - 1


class ArtifactError(ValueError):
    """A model that cannot be packed, or bytes that no packer wrote."""


class Coder(Protocol):
    """What `Encoder` and `Decoder` share."""

    def code(self, bit: int, probability: int) -> int:
        """Code one bit that is 1 with `probability` / 65536 (1 to 65535); return the bit."""

    def raw(self, values: np.ndarray | None, count: int, bits: int) -> np.ndarray:
        """Pass `count` integers of `bits` bits each by the model, at exactly their size."""

    def spent(self) -> float:
        """Bits used so far, fractions included."""


def final_bytes(low: int, width: int) -> bytes:
    """The fewest bytes whose every continuation lies in [low, low + width), leading carry included."""
    for count in range(5):
        unit = 1 << (8 * (4 - count))
        value = -(-low // unit) * unit
        if value + unit <= low + width:
            return (value >> (8 * (4 - count))).to_bytes(5, "big")[5 - count :] if count else b""
    raise AssertionError("a range is never narrower than one")


class Encoder:
    """Bits to bytes. Coded bits fill the front of the result, raw bits the back, last byte first."""

    def __init__(self) -> None:
        self._low, self._range = 0, MASK
        self._bytes = bytearray()
        self._raw: list[np.ndarray] = []

    def code(self, bit: int, probability: int) -> int:
        bound = (self._range >> 16) * probability
        if bit:
            self._range = bound
        else:
            self._low += bound
            self._range -= bound
            if self._low > MASK:
                self._low &= MASK
                self._carry()
        while self._range < TOP:
            self._bytes.append(self._low >> 24)
            self._low = (self._low << 8) & MASK
            self._range <<= 8
        return bit

    def _carry(self) -> None:
        last = len(self._bytes) - 1
        while self._bytes[last] == 255:
            self._bytes[last] = 0
            last -= 1
        self._bytes[last] += 1

    def raw(self, values: np.ndarray | None, count: int, bits: int) -> np.ndarray:
        assert values is not None, "an encoder needs the values it is to write"
        shifts = np.arange(bits - 1, -1, -1, dtype=np.uint32)
        self._raw.append((values.astype(np.uint32)[:, None] >> shifts & 1).astype(np.uint8).ravel())
        return values

    def spent(self) -> float:
        return 8 * len(self._bytes) + 32 - math.log2(self._range) + sum(map(len, self._raw))

    def finish(self) -> bytes:
        """Everything coded, as bytes."""
        low, tail = self._low, final_bytes(self._low, self._range)
        if tail and -(-low // (1 << 32 - 8 * len(tail))) >> 8 * len(tail):
            self._carry()
        raw = np.packbits(np.concatenate(self._raw)).tobytes() if self._raw else b""
        return bytes(self._bytes) + tail + raw[::-1]


class Decoder:
    """Bytes back to bits; `finish` refuses bytes that `Encoder.finish` would not have written."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position, self._code, self._range = 0, 0, MASK
        self._raw_position = 0
        for _ in range(4):
            self._code = self._code << 8 | self._next_byte()

    def _next_byte(self) -> int:
        position = self._position
        self._position += 1
        if position < len(self._data):
            return self._data[position]
        if position >= len(self._data) + 4:
            raise ArtifactError("the data end too early")
        return 0

    def code(self, bit: int, probability: int) -> int:
        bound = (self._range >> 16) * probability
        if self._code < bound:
            self._range = bound
            bit = 1
        else:
            self._code -= bound
            self._range -= bound
            bit = 0
        while self._range < TOP:
            self._code = self._code << 8 | self._next_byte()
            self._range <<= 8
        return bit

    def raw(self, values: np.ndarray | None, count: int, bits: int) -> np.ndarray:
        start, stop = self._raw_position, self._raw_position + count * bits
        if stop > 8 * len(self._data):
            raise ArtifactError("the data end too early")
        first, last = start // 8, -(-stop // 8)
        block = np.frombuffer(self._data[len(self._data) - last : len(self._data) - first][::-1], np.uint8)
        flags = np.unpackbits(block)[start - 8 * first : stop - 8 * first].reshape(count, bits)
        self._raw_position = stop
        result = np.zeros(count, np.uint32)
        for column in range(bits):
            result = result << np.uint32(1) | flags[:, column]
        return result

    def spent(self) -> float:
        return 8 * (self._position - 4) + 32 - math.log2(self._range) + self._raw_position

    def finish(self) -> None:
        """Check that every byte was used, and used as `Encoder` uses it."""
        data, begin = self._data, self._position - 4
        raw_size = -(-self._raw_position // 8)
        window = int.from_bytes((data[begin:] + bytes(4))[:4], "big")
        tail = final_bytes((window - self._code) & MASK, self._range)
        if begin + len(tail) + raw_size != len(data):
            raise ArtifactError(f"{len(data) - begin - len(tail) - raw_size} bytes too many")
        if data[begin : begin + len(tail)] != tail:
            raise ArtifactError("the last bytes are not those an encoder writes")
        if self._raw_position % 8 and data[len(data) - raw_size] & (0xFF >> self._raw_position % 8):
            raise ArtifactError("the padding is not zero")


def _powers() -> list[int]:
    """2**(i / 256) for i in 0..255, in units of 2**-20."""
    root, value, powers = 33645407, 1 << 25, []  # 2**(1/256) in units of 2**-25
    for _ in range(256):
        powers.append(value >> 5)
        value = value * root >> 25
    return powers


LIMIT = 12 * 256 - 1  # stretched probabilities lie in -LIMIT..LIMIT, in 1/256 of a power of two


def _squash_table() -> list[int]:
    """SQUASH[x + LIMIT] = 65536 / (1 + 2**(-x / 256)): odds to probability."""
    powers = _powers()
    upper = []
    for x in range(LIMIT + 1):
        odds = powers[x & 255] << (x >> 8)
        upper.append(min(odds * ONE // (odds + (1 << 20)), ONE - 16))
    return [ONE - p for p in reversed(upper[1:])] + upper


def _stretch_table() -> list[int]:
    """STRETCH[p >> 4]: the smallest x whose squashed probability reaches the middle of the step."""
    table, x = [], -LIMIT
    for step in range(4096):
        while x < LIMIT and SQUASH[x + LIMIT] < 16 * step + 8:
            x += 1
        table.append(x)
    return table


SQUASH = _squash_table()
STRETCH = _stretch_table()


def rates(limit: int) -> list[int]:
    """RATES[n]: how far, in 1/65536, a counter seen n times moves towards the next bit."""
    return [2 * ONE // (2 * n + 3) for n in range(limit + 1)]


class Counters:
    """Adaptive probabilities, one a slot: for bits too few to need mixing."""

    RATES = rates(60)

    def __init__(self, slots: int) -> None:
        self.probability = [HALF] * slots
        self.seen = [0] * slots

    def code(self, coder: Coder, slot: int, bit: int) -> int:
        p, n = self.probability[slot], self.seen[slot]
        bit = coder.code(bit, p)
        p += ((ONE - p if bit else -p) * self.RATES[n]) >> 16
        self.probability[slot] = min(max(p, 32), ONE - 32)
        if n < 60:
            self.seen[slot] = n + 1
        return bit


class Fields:
    """The few plain numbers of a file: each context learns how long its numbers are."""

    CONTEXTS = 32

    def __init__(self, coder: Coder) -> None:
        self.coder = coder
        self._lengths = Counters(self.CONTEXTS * 32)
        self._flags = Counters(self.CONTEXTS * 32)

    def bits(self, value: int, count: int) -> int:
        """An integer of `count` bits that nothing predicts."""
        result = 0
        for shift in range(count - 1, -1, -1):
            result = result << 1 | self.coder.code(value >> shift & 1, HALF)
        return result

    def choice(self, context: int, value: int, bits: int) -> int:
        """One of 2**bits options, bits <= 5."""
        node = 1
        for shift in range(bits - 1, -1, -1):
            node = node << 1 | self._flags.code(self.coder, context * 32 + node, value >> shift & 1)
        return node - (1 << bits)

    def number(self, context: int, value: int, largest: int) -> int:
        """An integer in 0..largest (under 2**31), small ones cheaply (Elias 1975, the gamma code)."""
        length = (value + 1).bit_length()
        longest, width = (largest + 1).bit_length(), 1
        while width < longest and self._lengths.code(self.coder, context * 32 + width, int(length > width)):
            width += 1
        result = (1 << width - 1 | self.bits(value + 1, width - 1)) - 1
        if result > largest:
            raise ArtifactError(f"a number is at most {largest} here, got {result}")
        return result


class Mixture:
    """Bits predicted by several counters, mixed.

    Slots index one table of counters that all inputs share: the caller gives each input a part of
    it. `selector` picks the set of mixing weights.
    """

    def __init__(
        self, slots: int, inputs: int, selectors: int, *, limit: int = 250, weight: float = 0.4, rate: int = 6
    ) -> None:
        self.probability = [HALF] * slots
        self.seen = [0] * slots
        self.weights = [[int(weight * ONE)] * inputs for _ in range(selectors)]
        self.limit, self.rate = limit, rate
        self.rates = rates(limit)

    def reset(self, start: int, stop: int) -> None:
        """Forget what the counters of these slots have seen."""
        self.probability[start:stop] = [HALF] * (stop - start)
        self.seen[start:stop] = [0] * (stop - start)

    def code(self, coder: Coder, slots: list[int], selector: int, bit: int) -> int:
        """Code one bit; `slots` has one counter for each input."""
        probability, seen, rate = self.probability, self.seen, self.rates
        weights = self.weights[selector]
        inputs = [STRETCH[probability[slot] >> 4] for slot in slots]
        dot = 0
        for w, s in zip(weights, inputs, strict=True):
            dot += w * s
        dot >>= 16
        mixed = SQUASH[LIMIT + (dot if -LIMIT <= dot <= LIMIT else LIMIT if dot > 0 else -LIMIT)]
        bit = coder.code(bit, mixed)
        error = ((ONE if bit else 0) - mixed) * self.rate
        self.weights[selector] = [w + (error * s >> 16) for w, s in zip(weights, inputs, strict=True)]
        limit = self.limit
        for slot in slots:
            p, n = probability[slot], seen[slot]
            probability[slot] = p + (((65535 if bit else 0) - p) * rate[n] >> 16)
            if n < limit:
                seen[slot] = n + 1
        return bit
