"""The sandboxes: what they keep in, that they are tried before they are believed, and what is said of them."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest

from assignment.seam import SubmissionError
from grader import GraderError, UnusableError, trial
from grader.lock import FILE_BYTES
from grader.log import nowhere
from grader.remote import RemoteSubmission, room_for
from grader.rules import ROOT, read_rules
from grader.sandbox import SANDBOXES, SCRATCH_BYTES, Bubblewrap, Landlock, NoSandbox
from grader.trial import attempt_to_break_out, available, backend_for, fault_of
from grader.visible import package_folders, python

LIMITS = dataclasses.replace(read_rules().worker, call_cpu_seconds=5, import_cpu_seconds=5)
HERE = {backend.name: backend for backend in available()}


@pytest.fixture(params=HERE, scope="module")
def backend(request):
    return HERE[request.param]


@pytest.fixture
def ask(backend):
    """Runs a function `f` in a worker of the backend: `ask("def f(): return 1")`."""
    open_ones = []

    def call(source: str, *arguments):
        room, sink = room_for(f"import os\nimport numpy as np\n{textwrap.dedent(source)}".encode()), nowhere()
        submission = RemoteSubmission(room.__enter__(), backend, LIMITS, sink=sink.__enter__())
        open_ones.append((submission, sink, room))
        return submission.call("f", *arguments)

    yield call
    for submission, sink, room in open_ones:
        submission.close()
        sink.__exit__(None, None, None)
        room.__exit__(None, None, None)


def test_there_is_a_sandbox_here():
    """Continuous integration installs one; a machine without any cannot grade, and says what to install."""
    assert HERE, [f"{kind.name}: {fault_of(kind.name)}" for kind in SANDBOXES]


@pytest.mark.skipif("CI" not in os.environ, reason="only continuous integration must have every sandbox")
def test_continuous_integration_has_every_sandbox():
    assert set(HERE) >= {"bwrap", "landlock"}, [fault_of(kind.name) for kind in SANDBOXES]


def test_the_attempt_to_break_out_gets_out_where_there_are_no_walls():
    """Each of its ways, so that none of them fails for a reason of its own."""
    source = trial.BREAKOUT.read_text()
    ways = attempt_to_break_out(NoSandbox())
    told = [line.split('"')[1] for line in source.splitlines() if re.match(r' +"[a-z\' ]+": ', line)]
    assert len(told) == 13
    assert {*told} - {*ways} == {"inherit the grader's environment"}  # no backend hands that on


def test_no_way_out(backend):
    assert attempt_to_break_out(backend) == []


def test_a_sandbox_that_does_not_hold_is_not_used(monkeypatch):
    class Open(Landlock):
        """Says that it is one, and has no walls."""

        name = "open"

        def start(self, room, scratch):
            return NoSandbox().start(room, scratch)

    monkeypatch.setattr(trial, "SANDBOXES", (Open,))
    monkeypatch.setattr(trial, "CHOICES", ("auto", "open"))
    fault_of.cache_clear()
    try:
        with pytest.raises(GraderError, match=r"no sandbox works here.*its worker could read a file outside"):
            backend_for("auto")
    finally:
        fault_of.cache_clear()


def test_a_lock_that_does_not_close_starts_no_worker(monkeypatch):
    class NoSuchPath(Landlock):
        name = "landlock"

        def start(self, room, scratch):
            begun = super().start(room, scratch)
            return dataclasses.replace(begun, orders={**begun.orders, "readable": ["/no/such/path"]})

    with room_for(b"def f(): return 1") as room, nowhere() as sink:
        submission = RemoteSubmission(room, NoSuchPath(), LIMITS, sink=sink)
        with pytest.raises(GraderError, match="the worker did not start"):
            submission.f()


def test_none_is_for_those_who_say_so_in_so_many_words():
    with pytest.raises(UnusableError, match="--unsafe"):
        backend_for("none")
    assert backend_for("none", unsafe=True).name == "none"
    assert all(backend_for(name).name == name for name in HERE)
    with pytest.raises(UnusableError, match="no sandbox 'chroot': choose from auto, bwrap"):
        backend_for("chroot")


def test_values_cross_and_numpy_works(ask):
    product = ask("def f(a, b): return np.linalg.solve(a, a @ b)", 3 * np.eye(4), np.arange(4.0))
    assert np.allclose(product, np.arange(4))
    assert ask("def f(a): return float(a.sum())", np.ones(3_000_000)) == 3_000_000  # mapped, not sent


def test_all_of_pythons_library_can_still_be_imported(ask):
    names = sorted(sys.stdlib_module_names - {"antigravity", "this", "idlelib", "turtledemo", "tkinter"})
    importable = [name for name in names if imports_here(name)]
    source = """
    def f(names):
        import importlib
        missing = []
        for name in names:
            try: importlib.import_module(name)
            except ImportError as error: missing.append(f"{name}: {error}")
        return missing
    """
    assert ask(source, importable) == []


def imports_here(name: str) -> bool:
    code = f"import importlib, sys; sys.path[:0] = []; importlib.import_module({name!r})"
    return (
        subprocess.run([python(), "-S", "-c", code], capture_output=True, stdin=subprocess.DEVNULL).returncode
        == 0
    )


def test_no_other_package_can_be_found(ask):
    source = """
    def f(folders):
        found = []
        for name in ("mlxtend", "rich", "pytest", "psutil", "solution", "tests_hidden", "grader.grade", "leaderboard"):
            try: __import__(name); found.append(name)
            except ImportError: pass
        for folder in folders:
            try: found += os.listdir(folder)
            except OSError: pass
        return found
    """
    assert package_folders()
    assert ask(source, [str(folder) for folder in package_folders()]) == []


def test_what_is_given_is_all_that_can_be_read(ask):
    source = """
    def f(paths):
        read = []
        for path in paths:
            try: read.append(open(path, "rb").read(1) and path)
            except OSError: pass
        return read
    """
    ours = [
        path
        for folder in ("solution", "tests_hidden", "tests_public", "grader")
        for path in (ROOT / folder).glob("*.py")
    ]
    machine = [
        Path("/etc/passwd"),
        Path("/etc/hostname"),
        Path("/proc/self/environ"),
        Path("/proc/1/environ"),
    ]
    worker_own = {
        ROOT / "grader" / f"{name}.py" for name in ("__init__", "lock", "syscalls", "wire", "worker")
    }
    read = set(map(Path, ask(source, [str(path) for path in [*ours, *machine, Path(sys.executable)]])))
    assert read <= worker_own


def test_nothing_can_be_written_but_the_scratch_folder(ask):
    source = """
    def f(places):
        written = []
        for place in places:
            try: open(os.path.join(place, "x"), "w").close(); written.append(place)
            except OSError: pass
        return written
    """
    places = ["/", "/tmp", "/dev", "/dev/shm", "/var/tmp", "/given", "/shared", "/submission", "/given/assignment",
              str(ROOT / "assignment"), str(python().parent), ".."]  # fmt: skip
    assert ask(source, places) == []
    assert ask("def f(): open('x', 'w').write('abc'); return open('x').read()") == "abc"


def test_scratch_has_a_size(ask):
    source = f"""
    def f():
        for number in range(6):
            with open(str(number), "wb") as file: file.write(bytes({SCRATCH_BYTES // 3}))
        return sum(os.path.getsize(str(number)) for number in range(6))
    """
    with pytest.raises(SubmissionError, match=r"No space left on device|more than its scratch folder holds"):
        ask(source)


def test_a_file_has_a_size(ask):
    with pytest.raises(SubmissionError, match=r"File too large|No space left"):
        ask(f"def f():\n  with open('x', 'wb') as file:\n    file.write(bytes({FILE_BYTES + 1}))")


def test_a_worker_leaves_nothing_for_the_next(ask, backend):
    with room_for(
        b"import os\ndef f():\n  seen = os.listdir('.')\n  open('x', 'w').close()\n  return seen"
    ) as room:
        for _ in range(2):
            with nowhere() as sink, RemoteSubmission(room, backend, LIMITS, sink=sink) as submission:
                assert submission.f() == []
        assert list(room.scratch.iterdir()) == []


@pytest.mark.parametrize(
    "code",
    [
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 0)",
        "os.kill(-1, 0)",
        "os.setsid()",
        "os.chmod('.', 0o777)",
        "os.symlink('/etc', 'link')",
        "os.link(__file__, 'link')",
        "os.setuid(0)",
        "__import__('socket').socket()",
        "__import__('socket').socketpair()",
        "__import__('socket').socket(__import__('socket').AF_UNIX)",
        "__import__('resource').setrlimit(__import__('resource').RLIMIT_AS, (2**40, 2**40))",
        "__import__('resource').prlimit(os.getppid(), __import__('resource').RLIMIT_CPU, (1, 1))",
        "__import__('fcntl').fcntl(1, 8, os.getppid())",
        "__import__('fcntl').fcntl(open(__file__), 1024, 0)",
        "__import__('fcntl').ioctl(open(__file__), 0x80086601, bytes(8))",
        "__import__('subprocess').run(['true'])",
        "__import__('multiprocessing').Pool(1)",
    ],
)
def test_refused(ask, code):
    with pytest.raises(
        SubmissionError, match=r"PermissionError|FileNotFoundError|OSError|ValueError: not allowed"
    ) as caught:
        ask(f"def f():\n    {code}")
    assert caught.value.kind == "raised"


@pytest.mark.parametrize(
    "name", ["ptrace", "unshare", "mount", "shmget", "msgget", "bpf", "io_uring_setup", "keyctl"]
)
def test_refused_by_number_too(ask, name):
    """Through `syscall`, past whatever Python or libc would refuse."""
    number = {"ptrace": 101, "unshare": 272, "mount": 165, "shmget": 29, "msgget": 68, "bpf": 321,
              "io_uring_setup": 425, "keyctl": 250}  # fmt: skip
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86-64")
    source = """
    def f(number):
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        return libc.syscall(number, 0, 0, 0, 0, 0, 0), ctypes.get_errno()
    """
    result, code = ask(source, number[name])
    assert result == -1
    assert code in (1, 38)


def test_threads_run_within_bounds(ask):
    source = """
    def f():
        import threading, time
        threads = [threading.Thread(target=time.sleep, args=(0.2,)) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        return len(threads)
    """
    assert ask(source) == 8
    with pytest.raises(SubmissionError, match=r"can't start new thread|memory|ended the process"):
        ask(
            "def f():\n  import threading, time\n  for _ in range(9999): threading.Thread(target=time.sleep, args=(9,)).start()"
        )


def test_memory_has_a_limit(ask):
    with pytest.raises(SubmissionError, match="ran out of memory"):
        ask("def f(): return np.ones(2**29)")


def test_its_environment_is_small_and_holds_nothing_of_the_graders(ask, monkeypatch):
    monkeypatch.setenv("FEATHERWEIGHT_SECRET", "swordfish")
    environment = ask("def f(): return dict(os.environ)")
    assert "swordfish" not in str(environment)
    assert set(environment) <= {"PATH", "HOME", "TMPDIR", "LANG", "PWD", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE",
                                "PYTHONUNBUFFERED", "PYTHONHASHSEED"} | {n for n in environment if n.endswith("_NUM_THREADS")}  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_under_bwrap_root_becomes_nobody():
    if "bwrap" not in HERE:
        pytest.skip(f"bwrap: {fault_of('bwrap')}")
    with (
        room_for(b"import os\ndef f(): return os.getresuid(), os.getresgid(), os.getgroups()") as room,
        nowhere() as sink,
        RemoteSubmission(room, Bubblewrap(), LIMITS, sink=sink) as submission,
    ):
        uids, gids, groups = submission.f()
    assert len({*uids, *gids}) == 1
    assert uids[0] >= 30_000
    assert not groups


def test_the_time_of_its_workers_is_counted(backend):
    """Also where they are nobody's children any more when they end."""
    source = b"import time\ndef f():\n  start = time.process_time()\n  while time.process_time() - start < 0.6: pass\n  return 1"
    before = backend.used_cpu_seconds
    with (
        room_for(source) as room,
        nowhere() as sink,
        RemoteSubmission(room, backend, LIMITS, sink=sink) as worker,
    ):
        assert worker.f() == 1
    assert 0.6 <= backend.used_cpu_seconds - before < 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take capabilities away from itself")
def test_a_container_without_namespaces_gets_landlock():
    """As under Docker's default profile, and so on Gradescope: root with few capabilities."""
    try_it = "from grader.trial import available, fault_of; print([b.name for b in available()], fault_of('bwrap'))"
    done = subprocess.run(
        [sys.executable, "tests/like_docker.py", sys.executable, "-c", try_it],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("['landlock'] its worker does not run"), done.stdout + done.stderr


OLD_KERNEL = """
import os, sys
from grader import lock
version, uid, scratch, readable, secret = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
lock.landlock_version = lambda: version
orders = {"memory_bytes": 2**31, "cpu_seconds": 10, "uid": uid if uid >= 0 else None, "seccomp": True}
lock.lock(orders | {"readable": [readable], "writable": [scratch]})
for path, flags in ((secret, os.O_RDONLY), (readable, os.O_RDONLY | os.O_TRUNC), (readable, os.O_RDWR)):
    try:
        os.open(path, flags)
    except PermissionError:
        print("refused", end=" ")
print(os.read(os.open(readable, os.O_RDONLY), 100), os.write(os.open(scratch + "/x", os.O_CREAT | os.O_RDWR), b"y"))
"""


def lock_like(version: int, uid: int, folder: Path) -> subprocess.CompletedProcess:
    scratch, readable, secret = folder / "scratch", folder / "readable", folder / "secret"
    scratch.mkdir()
    scratch.chmod(0o777)
    for path, mode in ((readable, 0o644), (secret, 0o666)):
        path.write_text("words")
        path.chmod(mode)
    arguments = [str(version), str(uid), *map(str, (scratch, readable, secret))]
    code = textwrap.dedent(OLD_KERNEL)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert readable.read_text() == "words"
    return done


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("version", [1, 2])
def test_older_landlock_holds_for_a_user_of_its_own(version):
    """Versions 1 and 2 let whoever may write a file empty it as it opens it; another user may not write."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        done = lock_like(version, 34_567, Path(folder))
    assert done.stdout == "refused refused refused b'words' 1\n", done.stderr


def test_older_landlock_is_not_enough_for_the_graders_own_user(tmp_path):
    done = lock_like(2, -1, tmp_path)
    assert "Landlock version 3 is needed, the kernel has 2" in done.stderr


def test_doctor_says_what_there_is_and_how_to_get_the_best():
    done = subprocess.run(
        [sys.executable, "-m", "grader", "doctor"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for kind in SANDBOXES:
        line = next(line for line in done.stdout.splitlines() if line.startswith(f"{kind.name} "))
        assert ("works: stops" if kind.name in HERE else "does not work: ") in line
    best = next(iter(HERE))
    assert f"sandbox    {best}" in done.stdout
    assert best == "bwrap" or "apt-get install bubblewrap" in done.stdout
