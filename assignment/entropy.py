"""A range coder: predicted bits in, hardly more bytes out than their surprise.

`Encoder` and `Decoder` share one interface, so that whoever describes data bit by bit writes the
description once, for both directions:

    bits = coder.code(bits, probabilities)   # an Encoder writes `bits`; a Decoder ignores and finds them

The coder is a carrying range coder with 32 bits of range (Martin 1979; the binary form is that of
LZMA) and probabilities in 1/65536. It is integer arithmetic with products under 2**53, so that a file
written on one machine decodes on every other, in any language with doubles.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

ONE = 1 << 16  # probabilities are fractions of this
HALF = ONE >> 1
TOP = 1 << 24  # the range is at least this wide before each bit
MASK = (1 << 32) - 1
# What an artifact may ask of its decoder: see `affordable`. (calls for nothing, calls for a byte); the less counts.
CALLS = ((1 << 12, 8), (1 << 14, 1))
FREE_BITS, BITS_PER_BYTE = 1 << 20, 1 << 5
USUAL = 2  # zeros that a choice has seen before the first
CHUNK = 1 << 16  # raw numbers to handle at a time: memory stays bounded


class ArtifactError(ValueError):
    """A model that cannot be packed, or bytes that no packer wrote."""


class Coder(Protocol):
    """What `Encoder` and `Decoder` share."""

    def code(self, bits: list[int], probabilities: list[int]) -> list[int]:
        """Code bits, each 1 with its probability / 65536 (1 to 65535); returns them.

        A decoder takes their number from `probabilities` alone.
        """

    def raw(self, values: np.ndarray | None, count: int, width: int) -> np.ndarray:
        """Pass `count` integers of `width` bits each (at most 32) by the model, at exactly their size."""

    def spent(self) -> float:
        """Bits used so far, fractions included."""


def final_bytes(low: int, width: int) -> tuple[int, int]:
    """(value, count): the fewest bytes all of whose continuations lie in [low, low + width).

    `value` has `count` bytes and, above them, the carry.
    """
    for count in range(1, 5):
        shift = 8 * (4 - count)
        value = -(-low >> shift)
        if (value + 1) << shift <= low + width:
            return value, count
    raise AssertionError("unreachable: a range holds at least TOP values")


def affordable(calls: int, bits: int, size_bytes: int) -> bool:
    """Whether so much coding is in proportion to so many bytes.

    Predictable bits cost next to no bytes, but time. Decoders refuse what is out of proportion, so that
    twenty bytes from a stranger cannot keep them busy for an hour; packers then write arrays raw.
    """
    most_calls = min(free + each * size_bytes for free, each in CALLS)
    return calls <= most_calls and bits <= FREE_BITS + BITS_PER_BYTE * size_bytes


class Encoder:
    """Bits to bytes. Coded bits fill the front of the result, raw bits the back, last byte first."""

    def __init__(self) -> None:
        self._low, self._range = 0, MASK
        self._calls, self._bits = 0, 0
        self._bytes = bytearray()
        self._raw = bytearray()
        self._raw_rest = np.zeros(0, np.uint8)  # bits that fill no byte yet

    def code(self, bits: list[int], probabilities: list[int]) -> list[int]:
        low, width, out = self._low, self._range, self._bytes
        for bit, probability in zip(bits, probabilities, strict=True):
            bound = (width >> 16) * probability
            if bit:
                width = bound
            else:
                low += bound
                width -= bound
                if low > MASK:
                    low &= MASK
                    self._carry()
            while width < TOP:
                out.append(low >> 24)
                low = low << 8 & MASK
                width <<= 8
        self._low, self._range = low, width
        self._calls, self._bits = self._calls + 1, self._bits + len(bits)
        return bits

    def _carry(self) -> None:
        last = len(self._bytes) - 1
        while self._bytes[last] == 255:
            self._bytes[last] = 0
            last -= 1
        self._bytes[last] += 1

    def raw(self, values: np.ndarray | None, count: int, width: int) -> np.ndarray:
        assert values is not None, "an encoder needs the values it is to write"
        for start in range(0, count, CHUNK):
            part = np.ascontiguousarray(values[start : start + CHUNK], ">u4").view(np.uint8).reshape(-1, 4)
            flags = np.unpackbits(part, axis=1)[:, 32 - width :].ravel()
            flags = np.concatenate([self._raw_rest, flags])
            whole = len(flags) // 8 * 8
            self._raw += np.packbits(flags[:whole]).tobytes()
            self._raw_rest = flags[whole:]
        return values

    def spent(self) -> float:
        return 8 * len(self._bytes) + 32 - math.log2(self._range) + 8 * len(self._raw) + len(self._raw_rest)

    def affordable(self, size_bytes: int) -> bool:
        """Whether a decoder will do as much work as this was for so many bytes."""
        return affordable(self._calls, self._bits, size_bytes)

    def finish(self) -> bytes:
        """Everything coded, as bytes."""
        value, count = final_bytes(self._low, self._range)
        whole = int.from_bytes(self._bytes, "big") + (value >> 8 * count)  # the carry goes as far as it must
        tail = (value & (1 << 8 * count) - 1).to_bytes(count, "big")
        raw = bytes(self._raw) + np.packbits(self._raw_rest).tobytes()
        return whole.to_bytes(len(self._bytes), "big") + tail + raw[::-1]


class Decoder:
    """Bytes back to bits. Raises ArtifactError where no `Encoder` wrote the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._range, self._raw_position = MASK, 0
        self._calls, self._bits = 0, 0
        self._code, self._position = int.from_bytes((data[:4] + bytes(4))[:4], "big"), 4

    def code(self, bits: list[int], probabilities: list[int]) -> list[int]:
        code, width, position, data = self._code, self._range, self._position, self._data
        found = []
        for probability in probabilities:
            bound = (width >> 16) * probability
            if code < bound:
                width = bound
                found.append(1)
            else:
                code -= bound
                width -= bound
                found.append(0)
            while width < TOP:
                code = code << 8 | (data[position] if position < len(data) else 0)
                position += 1
                width <<= 8
        self._code, self._range, self._position = code, width, position
        self._calls, self._bits = self._calls + 1, self._bits + len(found)
        if not affordable(self._calls, self._bits, len(data)):
            raise ArtifactError("the artifact asks for more work than its bytes pay for")
        if position > len(data) + 4:
            raise ArtifactError("the artifact ends too early: its coded part goes on beyond the last byte")
        return found

    def raw(self, values: np.ndarray | None, count: int, width: int) -> np.ndarray:
        if self._raw_position + count * width > 8 * len(self._data):
            raise ArtifactError(f"the artifact ends too early: {count} numbers of {width} bits should follow")
        result = np.empty(count, np.uint32)
        for start in range(0, count, CHUNK):
            size = min(CHUNK, count - start)
            flags = np.zeros((size, 32), np.uint8)
            flags[:, 32 - width :] = self._raw_bits(size * width).reshape(size, width)
            result[start : start + size] = np.packbits(flags, axis=1).view(">u4")[:, 0]
        return result

    def _raw_bits(self, count: int) -> np.ndarray:
        start, stop = self._raw_position, self._raw_position + count
        first, last, size = start // 8, -(-stop // 8), len(self._data)
        block = np.frombuffer(self._data[size - last : size - first][::-1], np.uint8)
        self._raw_position = stop
        return np.unpackbits(block)[start - 8 * first : stop - 8 * first]

    def spent(self) -> float:
        return 8 * (self._position - 4) + 32 - math.log2(self._range) + self._raw_position

    def finish(self) -> None:
        """Check that every byte was used, and used as `Encoder` uses it."""
        data, start = self._data, self._position - 4
        window = int.from_bytes((data[start:] + bytes(4))[:4], "big")
        value, count = final_bytes((window - self._code) & MASK, self._range)
        extra = len(data) - start - count - -(-self._raw_position // 8)
        if extra:
            kind = "too many" if extra > 0 else "too few"
            raise ArtifactError(f"the artifact has {abs(extra)} bytes {kind} after its last array")
        if int.from_bytes(data[start : start + count], "big") != value & (1 << 8 * count) - 1:
            raise ArtifactError("the artifact's last coded bytes are not those an encoder writes")
        padding = -self._raw_position % 8
        if padding and data[start + count] & (1 << padding) - 1:
            raise ArtifactError("the artifact's padding bits are not zero")


class Fields:
    """The few plain numbers of a file. Each context learns what its numbers are like."""

    def __init__(self, coder: Coder) -> None:
        self.coder = coder
        self._counts: dict[tuple[str, int], list[int]] = {}

    def _bit(self, context: str, node: int, bit: int, zeros: int = 0) -> int:
        """A bit as probable as it was before (Krichevsky and Trofimov 1981), as if `zeros` zeros had been."""
        counts = self._counts.setdefault((context, node), [zeros, 0])
        probability = max(1, (2 * counts[1] + 1) * HALF // (counts[0] + counts[1] + 1))
        bit = self.coder.code([bit], [probability])[0]
        counts[bit] += 1
        return bit

    def bits(self, value: int, width: int) -> int:
        """An integer of `width` bits that nothing predicts."""
        result = 0
        for bit in self.coder.code([value >> k & 1 for k in range(width - 1, -1, -1)], [HALF] * width):
            result = result << 1 | bit
        return result

    def choice(self, context: str, value: int, width: int) -> int:
        """One of 2**width options, of which 0 is the usual one."""
        node = 1
        for shift in range(width - 1, -1, -1):
            node = node << 1 | self._bit(
                context, node, value >> shift & 1, USUAL if node & node - 1 == 0 else 0
            )
        return node - (1 << width)

    def flag(self, context: str, unusual: bool) -> bool:
        """Whether something is not as usual."""
        return bool(self.choice(context, int(unusual), 1))

    def number(self, context: str, value: int, largest: int) -> int:
        """An integer in 0..largest, small ones cheaply (the gamma code of Elias 1975)."""
        if value > largest:
            raise ArtifactError(f"{context}: at most {largest}, got {value}")
        length, longest, width = (value + 1).bit_length(), (largest + 1).bit_length(), 1
        while width < longest and self._bit(context, width, int(length > width)):
            width += 1
        result = (1 << width - 1 | self.bits(value + 1 & (1 << width - 1) - 1, width - 1)) - 1
        if result > largest:
            raise ArtifactError(f"{context}: at most {largest}, got {result}")
        return result
