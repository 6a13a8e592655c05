"""The bank of attacks, graded in every sandbox there is: no points stolen, nothing leaked, nothing left.

    pytest tests/test_attacks.py -n 2                     every attack in every sandbox
    pytest tests/test_attacks.py -k "bwrap and net_"      those about the network, in one

A machine that is short of time sets FEATHERWEIGHT_EVERY_NTH_ATTACK to more than 1, or FEATHERWEIGHT_SPREAD_ATTACKS
to run each attack in one of its sandboxes, in turns.

They are graded by a few real tests of each function that they touch, under shorter limits than a class gets.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import secrets
import socket
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

import psutil
import pytest

import tests_hidden
import tests_public
from grader.grade import Request, grade
from grader.remote import room_for
from grader.rules import ROOT, SuitePaths, read_points, read_rules
from grader.trial import available
from tests.attacks.oddities import ODDITIES

SUITES = {"public": tests_public, "hidden": tests_hidden}
"""Imported here, so that the suites below, in folders of the same names, find the real ones."""

BANK = Path(__file__).with_name("attacks")
FUNCTIONS = ("count_parameters", "sparsity", "softmax", "dequantize_affine", "prune", "quantize_model", "prune_neurons")  # fmt: skip
PER_FUNCTION = {"public": 1, "hidden": 2}
RULES = dataclasses.replace(
    read_rules(),
    worker=dataclasses.replace(
        read_rules().worker,
        import_cpu_seconds=5,
        call_cpu_seconds=1,
        retry_cpu_seconds=0.5,
        test_cpu_seconds=2,
        function_cpu_seconds=4,
        run_cpu_seconds=15,
        run_idle_seconds=15,
        most_restarts=12,
    ),
)
MOST_CPU_SECONDS = 2 * (RULES.worker.run_cpu_seconds + RULES.worker.import_cpu_seconds) + 30
BREACH = "BREACH"


@dataclass(frozen=True)
class Attack:
    """One file of the bank. never: what no output may hold. reason: words, one of which must be said."""

    name: str
    content: bytes
    functions: tuple[str, ...]
    keeps: bool
    never: str | None = None
    reason: tuple[str, ...] = ()


def bank() -> Iterator[Attack]:
    for path in sorted([*BANK.glob("*.py"), *(BANK / "oddities").glob("*.py")]):
        text = path.read_text(encoding="utf-8")
        if found := re.search(r"^# (honest|keeps):(.*)$", text, re.MULTILINE):
            functions = tuple(found[2].replace(",", " ").split())
            never = re.search(r"^# never: (.*)$", text, re.MULTILINE)
            yield Attack(path.stem, text.encode(), functions, found[1] == "keeps", never and never[1])
    for name, oddity in ODDITIES.items():
        yield Attack(f"oddity_{name}", oddity.make(), oddity.functions, oddity.keeps, None, oddity.reason)


ATTACKS = {attack.name: attack for attack in bank()}
BACKENDS = [backend.name for backend in available()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "attack" not in metafunc.fixturenames:
        return
    step = int(os.environ.get("FEATHERWEIGHT_EVERY_NTH_ATTACK", "1"))
    cases = list(product(list(ATTACKS.values())[::step], BACKENDS))
    if os.environ.get("FEATHERWEIGHT_SPREAD_ATTACKS"):  # each in one backend, in turns
        count = len(BACKENDS)
        cases = [case for number, case in enumerate(cases) if number % count == number // count % count]
    names = [f"{attack.name}-{backend}" for attack, backend in cases]
    metafunc.parametrize(("attack", "backend"), cases, ids=names)


@dataclass
class Trap:
    """What attacks are after: secrets, listeners, a file that must not come to be."""

    folder: Path
    secret: str
    placeholders: dict[str, str]
    sockets: list[socket.socket]

    def laid_for(self, attack: Attack) -> bytes:
        content = attack.content
        for name, value in self.placeholders.items():
            content = content.replace(f"@{name}@".encode(), value.encode())
        return content

    @property
    def canary(self) -> Path:
        return Path(self.placeholders["CANARY"])

    def callers(self) -> list[str]:
        """Which listeners heard something."""
        called = []
        for each in self.sockets:
            with contextlib.suppress(BlockingIOError):
                if each.type == socket.SOCK_DGRAM:
                    each.recv(1)
                else:
                    each.accept()
                called.append(str(each.getsockname()))
        return called


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    secret, variable = (
        f"swordfish-{secrets.token_hex(8)}",
        f"FEATHERWEIGHT_SECRET_{secrets.token_hex(4).upper()}",
    )
    with (
        tempfile.TemporaryDirectory(prefix="home-") as home,
        room_for(f"# {secret}\n".encode()) as other,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(home)
        (folder / "secret").write_text(secret)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = tcp.getsockname()[1]
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", port))
        unix, abstract = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        unix.bind(str(folder / "listener"))
        abstract.bind(f"\0{secret[-8:]}")
        for each in (unix, abstract):
            each.listen()
        sockets = [tcp, udp, unix, abstract]
        for each in sockets:
            each.setblocking(False)
        os.environ[variable] = secret
        placeholders = {
            "SECRET_FILE": str(folder / "secret"),
            "SECRET_ENV": variable,
            "OTHER_SUBMISSION": str(other.source),
            "HIDDEN_TESTS": str(ROOT / "tests_hidden"),
            "REPO": str(ROOT),
            "PORT": str(port),
            "UNIX": str(folder / "listener"),
            "ABSTRACT": secret[-8:],
            "GRADER_PID": str(os.getpid()),
            "CANARY": str(folder / "canary"),
        }
        yield Trap(folder, secret, placeholders, sockets)
        del os.environ[variable]


@pytest.fixture(scope="module")
def suites(tmp_path_factory) -> SuitePaths:
    """A few of the real tests of each function, worth 100 points together."""
    root = tmp_path_factory.mktemp("suites")
    share = {"public": Fraction(40, len(FUNCTIONS)), "hidden": Fraction(60, len(FUNCTIONS))}
    worth = {name: {suite: int(each) for suite, each in share.items()} for name in FUNCTIONS}
    worth["count_parameters"]["hidden"] += 100 - sum(sum(each.values()) for each in worth.values())
    lines = ["[part1.functions]", *(f"{n} = {{ public = {w['public']}, hidden = {w['hidden']} }}" for n, w in worth.items())]  # fmt: skip
    for suite, count in PER_FUNCTION.items():
        folder = root / f"tests_{suite}"
        folder.mkdir()
        (folder / "test_bank.py").write_text("".join(imports(suite, count)))
    (root / "tests_public" / "points.toml").write_text("\n".join(lines))
    assert tomllib.loads("\n".join(lines))
    return SuitePaths(root)


def imports(suite: str, count: int) -> Iterator[str]:
    """Lines that import the first tests of each function, and the fixtures beside them."""
    left = dict.fromkeys(FUNCTIONS, count)
    for path in sorted(Path(str(SUITES[suite].__file__)).parent.glob("test_*.py")):
        graded = re.findall(r'grades\("(\w+)"\)\n(?:@.*\n)*def (test_\w+)', path.read_text())
        for function, test in graded:
            if left.get(function, 0):
                left[function] -= 1
                yield f"from tests_{suite}.{path.stem} import {test}\n"
    assert all(each < count for each in left.values()), f"no {suite} tests: {left}"


def test_attack(attack: Attack, backend: str, trap: Trap, suites: SuitePaths, tmp_path: Path, capfd):
    path = tmp_path / "handed-in" / "compression.py"
    path.parent.mkdir()
    path.write_bytes(trap.laid_for(attack))
    request = Request(
        path, tmp_path / "out", competes=False, sandbox=backend, seed=0, suites=suites, rules=RULES
    )
    record = grade(request)
    printed = capfd.readouterr()
    written = [file.read_text(errors="replace") for file in (tmp_path / "out").rglob("*") if file.is_file()]
    said = "\n".join([printed.out, printed.err, *written])

    assert record["error"] is None, "the grader failed"
    worth = read_points(suites.points_file)
    most = sum(worth[name].public + worth[name].hidden for name in attack.functions)
    points = record["totals"]["points"]
    assert points <= most, "points were stolen"
    assert not attack.keeps or points == most, f"working functions lost points: {reasons(record)}"
    for forbidden in (BREACH, trap.secret, *([attack.never] if attack.never else [])):
        assert forbidden not in said, f"{forbidden} came out"
    assert not attack.reason or any(word.lower() in said.lower() for word in attack.reason), reasons(record)
    assert trap.callers() == [], "it got through to a listener"
    assert not trap.canary.exists(), "it wrote outside"
    assert left_processes() == [], "a process is left"
    assert record["grader"]["cpu_seconds"] < MOST_CPU_SECONDS


def reasons(record) -> list[str]:
    return sorted({f"{test['function']}: {test['reason']}" for test in record["tests"] if test["reason"]})


def left_processes() -> list[psutil.Process]:
    """Children of ours, or what an attack has left behind elsewhere; one that is ending gets a second."""
    deadline = time.monotonic() + 1
    while True:
        left = psutil.Process().children(recursive=True)
        with contextlib.suppress(psutil.Error):
            left += [each for each in psutil.process_iter(["name", "ppid"]) if each.name() == "fw-attack" and each.ppid() == 1]  # fmt: skip
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def test_the_bank_is_large_and_each_attack_says_what_it_tries():
    assert len(ATTACKS) - len(ODDITIES) >= 60
    for path in BANK.glob("*.py"):
        if path.stem in ATTACKS:
            first = path.read_text().splitlines()[0]
            assert first.startswith('"""')
            assert len(first) > 20
