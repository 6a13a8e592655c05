"""A whole class on the board: a gallery of real packed models, and hundreds of generated entries.

The gallery's models are those of tests/golden, measured on the public half of the test images. A class cannot be
trained in a test, so its entries have figures drawn at random: bytes, the images that are read wrong, and a score that
follows from both.
"""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from leaderboard_records import bits, record, sha256

from assignment.artifact import unpack
from assignment.data import load_mnist
from assignment.nn import Dense, Sequential
from leaderboard.anatomy import anatomy_of
from leaderboard.entry import Entry
from leaderboard.handles import ADJECTIVES, NOUNS
from leaderboard.ranking import halvings, quality
from leaderboard.signing import Key, read_key
from leaderboard.store import files_of

GOLDEN = Path(__file__).parent / "golden"
GALLERY = {
    "trained-convolutional-697": "697-parameter convolutional network",
    "trained-deep-compression": "Deep Compression style",
    "trained-dense-4-bit-unit-grids": "4 bits per output unit",
    "trained-pooled-2k": "mean in front, 64-24",
    "trained-sparse-2k": "sparse and quantized, 48-24",
}
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
KEY: Key = read_key("11" * 32, "the key of the tests")
HOSTILE = '</td><script>alert("x")</script>\u202egnp.exe\u0007 <b>' + "y" * 9000


@cache
def measured(name: str) -> tuple[bytes, Sequential, dict[str, Any]]:
    """A golden file, its model, and its figures as the grader would record them."""
    artifact = (GOLDEN / f"{name}.fw").read_bytes()
    model = unpack(artifact)
    mnist = load_mnist()
    images, labels = mnist.test.images[::2], mnist.test.labels[::2]
    answers = model.predict(images)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, answers), 1)
    accuracy = 100 * float(np.mean(answers == labels))
    is_dense = not any(layer.parameters() and not isinstance(layer, Dense) for layer in model.layers)
    figures = {
        "bytes": len(artifact),
        "accuracy_percent": accuracy,
        "score": quality(accuracy) * halvings(len(artifact)),
        "ranked": accuracy > 90,
        "correct": base64.b64encode(np.packbits(answers == labels).tobytes()).decode("ascii"),
        "confusion": confusion.tolist(),
        "artifact_sha256": "",
        "division": "mlp" if is_dense else "open",
    }
    return artifact, model, figures


def real_entry(name: str, handle: str, started: datetime, baseline: str | None = None) -> tuple[Entry, bytes]:
    """An entry whose artifact is a golden file, signed, with that file."""
    import hashlib

    artifact, _, figures = measured(name)
    digest = hashlib.sha256(artifact).hexdigest()
    made = record(
        f"{name} {handle}", **{**figures, "artifact_sha256": digest, "second_artifact_sha256": digest}
    )
    made["grader"]["started"] = started.isoformat().replace("+00:00", "Z")
    made["grader"]["data"] = load_mnist().name
    entry = Entry.from_record(made, handle, baseline=baseline, anatomy=anatomy_of(artifact))
    return entry.signed(KEY), artifact


def generated(number: int, seed: int = 7, handles: int = 120) -> list[Entry]:
    """So many entries of a class, in the order of time, each a little better than its owner's last on the whole."""
    rng = random.Random(seed)
    names = [f"{a}-{n}" for a in ADJECTIVES for n in NOUNS]
    rng.shuffle(names)
    skill = {handle: rng.gauss(0, 1) for handle in names[:handles]}
    hard = sorted(rng.sample(range(5000), 900), key=lambda _: rng.random())
    entries = []
    for place in range(number):
        handle = rng.choice(list(skill))
        progress = place / number
        size = round(2 ** (13.4 - 2.4 * progress - 0.45 * skill[handle] + rng.gauss(0, 0.5)))
        size = max(420, min(size, 16384))
        errors = 62 + 2600 / size**0.5 - 6 * skill[handle] + abs(rng.gauss(0, 26))
        weights = [(rng.random() ** (1 / (900 - rank)), image) for rank, image in enumerate(hard)]
        wrong = [image for _, image in sorted(weights, reverse=True)[: max(45, round(errors))]]
        figures = bits(wrong)
        score = quality(figures["accuracy_percent"]) * halvings(size)
        flags = [HOSTILE] if place == 5 else ["two runs gave different bytes"] if place % 61 == 0 else []
        made = record(
            f"class {place}",
            bytes=size,
            score=score,
            division=rng.choice(("mlp", "mlp", "open")),
            flags=flags,
            **figures,
        )
        made["submission"]["commit"] = "<b>" + HOSTILE[:150] if place == 5 else sha256(str(place))[:40]
        made["grader"]["started"] = (START + timedelta(hours=5.3 * place)).strftime("%Y-%m-%dT%H:%M:%SZ")
        entries.append(Entry.from_record(made, handle).signed(KEY))
    return entries


def write(folder: Path, entry: Entry, artifact: bytes | None = None) -> None:
    """What `post` writes, without looking at what is there: quicker for hundreds."""
    for name, data in files_of(entry, artifact).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def write_class(folder: Path, number: int, handles: int = 120) -> list[Entry]:
    """The gallery, one of its models as a student's entry as well, and a generated class."""
    entries = []
    for place, (name, title) in enumerate(GALLERY.items()):
        entry, artifact = real_entry(
            name, name.removeprefix("trained-"), START + timedelta(minutes=place), title
        )
        write(folder, entry, artifact)
        entries.append(entry)
    entry, artifact = real_entry("trained-pooled-2k", "painter", START + timedelta(days=2))
    write(folder, entry, artifact)
    for made in generated(number, handles=handles):
        write(folder, made)
        entries.append(made)
    return [*entries, entry]


if __name__ == "__main__":
    import sys

    write_class(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 120)
    print(json.dumps({"public key": KEY.public_key().public_bytes_raw().hex()}))
