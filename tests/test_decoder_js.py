"""The leaderboard's decoder, leaderboard/decoder.js, reads what `pack` writes: two decoders, one format.

Both were written from docs/file-format.md. Where they differ, one is wrong or the document is. All tests hand
node a batch of files at once, since node takes longer to start than to decode one.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assignment import priors
from assignment.artifact import ArtifactError, pack, unpack
from assignment.nn import AvgPool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Reshape, Sequential
from tests.artifact_models import FILLERS, every_layer, filled, grid, small_file, sparse

ROOT = Path(__file__).parents[1]
DECODER = ROOT / "leaderboard" / "decoder.js"
GOLDEN = ROOT / "tests" / "golden"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None and not os.environ.get("CI"), reason="needs node (apt-get install nodejs)"
)

# For each file: its layers, the bits of its arrays and its answers to images; or why it was refused.
SCRIPT = """
const { unpack, forward, ArtifactError } = require(process.argv[1]);
const from = (text) => new Uint8Array(Buffer.from(text, "base64"));
const to = (arrays) => Buffer.concat(arrays.map((a) => Buffer.from(a.data.buffer, a.data.byteOffset, a.data.byteLength)))
  .toString("base64");
function answer({ file, images }) {
  let model;
  try {
    model = unpack(from(file));
  } catch (error) {
    return error instanceof ArtifactError ? { refused: error.message } : { crashed: error.stack };
  }
  const layers = model.layers.map(({ kind, weight, bias, ...settings }) =>
    ({ kind, settings, shapes: weight ? [weight.shape, bias.shape] : [] }));
  const arrays = model.layers.flatMap(({ weight, bias }) => (weight ? [weight, bias] : []));
  const logits = images.map((image) => Array.from(forward(model, new Float32Array(from(image).buffer)), String));
  return { layers, bits: to(arrays), logits };
}
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map(answer)));
"""


def in_javascript(files: Sequence[bytes], images: Sequence[np.ndarray] = ()) -> list[dict[str, Any]]:
    """What the decoder in JavaScript makes of each file; images: (features,) float32, for each of the models."""
    assert NODE is not None, "CI must have node: apt-get install nodejs"
    pictures = [encoded(image.tobytes()) for image in images]
    asked = json.dumps([{"file": encoded(file), "images": pictures} for file in files])
    done = subprocess.run(
        [NODE, "-e", SCRIPT, str(DECODER)], input=asked, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert not [answer["crashed"] for answer in answers if "crashed" in answer]
    return answers


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def bits_of_model(model: Sequential) -> bytes:
    return b"".join(np.ascontiguousarray(array, "<f4").tobytes() for array in model.parameters())


def assert_decoded(answer: dict[str, Any], model: Sequential, name: object) -> None:
    """Kinds, settings, shapes and every bit."""
    assert "refused" not in answer, f"{name}: {answer['refused']}"
    expected = [
        {
            "kind": type(layer).__name__,
            "settings": layer.config(),
            "shapes": [array.shape for array in layer.parameters()],
        }
        for layer in model.layers
    ]
    assert answer["layers"] == json.loads(json.dumps(expected)), name
    assert base64.b64decode(answer["bits"]) == bits_of_model(model), name


@needs_node
def test_a_script_element_gets_one_global() -> None:
    """In a page there is no `module`, and whatever else the file defined would stand in others' way."""
    page = "const page = {}; require('vm').runInNewContext(require('fs').readFileSync(process.argv[1], 'utf8'), page);"
    shown = "console.log(Object.keys(page).join(), Object.keys(page.Featherweight).sort().join());"
    assert NODE is not None, "CI must have node: apt-get install nodejs"
    done = subprocess.run(
        [NODE, "-e", page + shown, str(DECODER)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["Featherweight", "ArtifactError,forward,unpack"], done.stderr


# Tables


def test_tables_of_the_decoder_in_javascript_are_those_of_the_packer() -> None:
    """All of them: a slot that no golden file meets would go unnoticed until a model does."""
    text = DECODER.read_text(encoding="utf-8").replace("\\\n", "")
    for name, known in {
        "USED_WEIGHTS": priors.USED_WEIGHTS,
        "ZERO_WEIGHTS": priors.ZERO_WEIGHTS,
        "SIGN_WEIGHTS": priors.SIGN_WEIGHTS,
        "SIZE_ROWS": priors.SIZE_ROWS,
    }.items():
        match = re.search(rf"const {name} = (\[.*?),?\n\];", text, re.DOTALL)
        assert match, name
        assert (np.array(json.loads(match[1] + "]")) * 256 == known).all(), name
    found = re.findall(r'\["(\w+)", (\d+), `([^`]+)`\]', text)
    assert {(name.upper(), int(place)) for name, place, _ in found} == set(priors.EXPECTED)
    for name, place, short in found:
        known = priors.EXPECTED[name.upper(), int(place)]
        letters = re.sub(r"\d+", lambda run: "." * int(run[0]), short)
        assert (priors.expected(letters.ljust(len(known), ".")) == known).all(), (name, place)


# Golden files


@needs_node
def test_golden_files_decode_to_the_same_bits_in_javascript() -> None:
    """Format version 1 is what they hold, in every language."""
    described = json.loads((GOLDEN / "models.json").read_text(encoding="utf-8"))
    answers = in_javascript([(GOLDEN / f"{name}.fw").read_bytes() for name in described])
    for (name, layers), answer in zip(described.items(), answers, strict=True):
        assert "refused" not in answer, f"{name}: {answer['refused']}"
        assert answer["layers"] == layers, name
        assert base64.b64decode(answer["bits"]) == (GOLDEN / f"{name}.f32").read_bytes(), name


# Random models


def random_model(rng: np.random.Generator) -> Sequential:
    """Layers of every kind in some order, each array of another kind; a third of the models have no pictures."""
    layers: list[Layer] = []
    if rng.random() < 0.35:
        features = int(rng.choice([1, 2, 9, 12, 49, 100]))
    else:
        side = int(rng.choice([4, 6, 9]))
        channels, features = 1, side * side
        layers.append(Reshape((1, side, side)))
        for _ in range(int(rng.integers(1, 4))):
            kind = rng.choice(["conv", "conv", "max", "avg", "relu"])
            if kind == "relu" or (kind in ("max", "avg") and side < 4):
                layers.append(ReLU())
            elif kind == "conv":
                out, kh, kw = (int(rng.integers(1, most)) for most in (5, 4, 4))
                kw = kh if rng.random() < 0.7 else kw
                stride = int(rng.integers(1, 3))
                padding = int(rng.integers(0 if side >= 3 else 1, 3))
                layers.append(Conv2D(channels, out, (kh, kw), stride, padding))
                channels = out
            else:
                size = int(rng.integers(2, 4))
                layers.append(MaxPool2D(size) if kind == "max" else AvgPool2D(size))
            shape = Sequential(layers).forward(np.zeros((1, features), np.float32)).shape
            side = min(shape[2:])
        layers.append(Flatten())
        features = int(np.prod(shape[1:]))
    for _ in range(int(rng.integers(0, 2))):
        units = int(rng.choice([1, 3, 12, 30]))
        layers += [Dense(features, units), ReLU()]
        features = units
    model = Sequential([*layers, Dense(features, 10)])
    for layer in model.layers:
        if isinstance(layer, (Dense, Conv2D)):
            layer.weight, layer.bias = (
                random_array(rng, array.shape) for array in (layer.weight, layer.bias)
            )
    return model


def random_array(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """One of the known kinds, at times with rows (or whole planes) and columns that are empty."""
    array = FILLERS[str(rng.choice(list(FILLERS)))](rng, shape).astype(np.float32)
    if rng.random() < 0.3:
        array[rng.random(shape[0]) < 0.5] = 0
    if len(shape) > 1 and rng.random() < 0.3:
        array[:, rng.random(shape[1]) < 0.5] = 0
    return array


@needs_node
def test_random_models_decode_to_the_same_bits_in_javascript() -> None:
    """200 of them, with arrays of every kind in layers of every kind."""
    rng = np.random.default_rng(20)
    models = [random_model(rng) for _ in range(200)]
    answers = in_javascript([pack(model) for model in models])
    for index, (model, answer) in enumerate(zip(models, answers, strict=True)):
        assert_decoded(answer, model, f"random model {index}")
    kinds = {type(layer) for model in models for layer in model.layers}
    assert kinds == {Dense, Conv2D, ReLU, Flatten, Reshape, MaxPool2D, AvgPool2D}


def edge_models() -> dict[str, Sequential]:
    """What random models hardly meet: strips, tables at their largest, counters that overflow, steps far away."""
    rng = np.random.default_rng(3)
    normal = rng.standard_normal((50, 10), dtype=np.float32)
    return {
        "two strips": filled(Sequential([Dense(16, 600), ReLU(), Dense(600, 10)]), sparse(grid(0.3), 0.9)),
        "two strips of kernels": filled(
            Sequential([Reshape((1, 4, 4)), Conv2D(1, 520, 2)]), sparse(grid(0.3))
        ),
        "the largest levels": filled(Sequential([Dense(50, 40)]), grid(1e-4, 32767)),
        "counters that overflow": filled(Sequential([Dense(144, 40)]), sparse(grid(0.1, 2), 0.5)),
        "a tiny step": Sequential(
            [Dense.from_arrays(np.ldexp(normal.round(1), -130).astype(np.float32), np.zeros(10, np.float32))]
        ),
        "a huge step": Sequential(
            [
                Dense.from_arrays(
                    np.ldexp(np.sign(normal) * 3, 125).astype(np.float32), np.full(10, 2.0**127, np.float32)
                )
            ]
        ),
        "odd input": filled(Sequential([Dense(17, 3)]), sparse(grid(0.25))),
        "eight dimensions": Sequential([Reshape((2, 2, 2, 2, 7, 7, 1, 1)), Flatten()]),
        "256 layers": Sequential([ReLU()] * 256),
    }


@needs_node
def test_edges_of_the_format_decode_to_the_same_bits_in_javascript() -> None:
    models = edge_models()
    for (name, model), answer in zip(
        models.items(), in_javascript([pack(m) for m in models.values()]), strict=True
    ):
        assert_decoded(answer, model, name)


# Answers

EPSILON = 2.0**-24  # half of what float32 distinguishes at 1


def bounded(model: Sequential) -> tuple[Sequential, Sequential]:
    """The model in float64, and one whose outputs bound what any order of summation can round away."""
    exact, bound = model.copy(), model.copy()
    for one, two in zip(exact.layers, bound.layers, strict=True):
        if isinstance(one, (Dense, Conv2D)) and isinstance(two, (Dense, Conv2D)):
            one.weight, one.bias = one.weight.astype(np.float64), one.bias.astype(np.float64)
            two.weight, two.bias = abs(one.weight), abs(one.bias)
    return exact, bound


@needs_node
def test_logits_of_random_images_equal_those_in_python() -> None:
    """300 images through layers of every kind: within what float32 rounds, wherever it rounds."""
    rng = np.random.default_rng(5)
    images = rng.random((50, 784), dtype=np.float32)
    pictures = [Reshape((1, 28, 28)), Conv2D(1, 4, (3, 2), 2, 1), ReLU(), MaxPool2D(2), Conv2D(4, 5, 3, 1, 2)]
    models = []
    for filler in ("sparse normal", "sparse grid", "codebook"):
        models.append(filled(Sequential([Dense(784, 5), ReLU(), Dense(5, 10)]), FILLERS[filler]))
        layers = [*pictures, AvgPool2D(2), ReLU(), Flatten(), Dense(80, 10)]
        models.append(filled(Sequential(layers).copy(), FILLERS[filler]))
    answers = in_javascript([pack(model) for model in models], images)
    for index, (model, answer) in enumerate(zip(models, answers, strict=True)):
        exact, bound = bounded(model)
        logits = np.array(answer["logits"], np.float64)
        roundings = 2 * sum(len(array) if array.ndim == 2 else array[0].size for array in model.parameters())
        slack = roundings * EPSILON * bound.forward(images.astype(np.float64))
        for other in (model.forward(images), exact.forward(images.astype(np.float64))):
            assert (abs(logits - other) <= slack).all(), f"model {index}"
        truth = exact.forward(images.astype(np.float64))
        assert np.allclose(logits, truth, rtol=0, atol=1e-6 * abs(truth).max()), f"model {index}"


# Refusals


def in_python(data: bytes) -> bytes | None:
    try:
        return bits_of_model(unpack(data))
    except ArtifactError:
        return None


def assert_alike(files: Sequence[bytes]) -> int:
    """Both decoders refuse the same files and read the others alike; returns how many were refused."""
    answers, refused = in_javascript(files), 0
    for file, answer in zip(files, answers, strict=True):
        bits = None if "refused" in answer else base64.b64decode(answer["bits"])
        assert bits == in_python(file), file.hex()
        refused += bits is None
    return refused


@needs_node
def test_files_cut_short_are_refused_in_javascript() -> None:
    data = small_file()
    answers = in_javascript([data[:size] for size in range(len(data))])
    assert all("refused" in answer for answer in answers)
    assert assert_alike([data + extra for extra in (b"\0", b"\xff", bytes(100))]) == 3


def flipped(data: bytes, every: int) -> list[bytes]:
    """The file with one bit changed: its first, and each `every`-th from there."""
    files = []
    for bit in range(0, 8 * len(data), every):
        file = bytearray(data)
        file[bit // 8] ^= 1 << bit % 8
        files.append(bytes(file))
    return files


@needs_node
def test_flipped_bits_are_refused_or_mean_the_same_model_in_both_decoders() -> None:
    """No stranger's file may mean one model to the grader and another on the leaderboard's page."""
    files = flipped(small_file(), 17) + flipped(pack(filled(every_layer(), FILLERS["any bits"])), 101)
    assert assert_alike(files) > len(files) // 4


@needs_node
def test_every_flipped_bit_is_refused_or_gives_another_model_in_javascript() -> None:
    data = small_file()
    known, *answers = in_javascript([data, *flipped(data, 1)])
    assert not [answer for answer in answers if answer.get("bits") == known["bits"]]
    assert len([answer for answer in answers if "refused" in answer]) > len(answers) // 4


@needs_node
def test_random_bytes_are_refused_or_mean_the_same_model_in_both_decoders() -> None:
    rng = np.random.default_rng(8)
    files = [b"\xf1" + rng.bytes(int(rng.integers(0, 60))) for _ in range(100)]
    assert assert_alike([b"", b"\xf2", b"PK\x03\x04", *files]) > 0


@needs_node
def test_files_that_ask_for_endless_work_are_refused_in_javascript() -> None:
    """Files of one byte over and over claim predictable bits without end; node has a minute for all of them."""
    files = [
        b"\xf1" + bytes([fill]) * size for fill in (0, 0x11, 0x22, 0xFE, 0xFF) for size in (2, 40, 300, 4000)
    ]
    assert all("refused" in answer for answer in in_javascript(files))
