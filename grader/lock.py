"""What a worker takes from itself before it runs any of the submission; none of it can be undone.

Limits on memory, time, files and threads; another user, where it starts as root; no capabilities and no
way to new ones; a short list of paths that it can open (Landlock), where no file system of its own hides the
others; a short list of system calls (seccomp). A lock that does not close is an OSError, and the worker
never says that it is ready.

Stops: starting processes, signals to others, sockets of every kind, tracing, shared memory, mounts,
changing owners and modes of files, and, with Landlock, opening anything but the paths given. Does not
stop: asking whether a path exists, where Landlock alone hides it; using up the time and memory allowed.

Linux only, but for the limits. Constants are from linux/{seccomp,filter,landlock,capability,prctl}.h.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from typing import Any

from grader.syscalls import ALLOWED_TABLE, LIMITED_TABLE, REFUSED_TABLE, architecture, numbers

MEBIBYTE = 2**20
FILE_BYTES = 64 * MEBIBYTE
OPEN_FILES = 128
THREADS = 64

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
LOAD, JUMP_IF_EQUAL, JUMP_IF_ANY, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
EPERM, ENOSYS = 1, 38
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT, SECOND_ARGUMENT_AT = 0, 4, 16, 24
X32_BIT = 0x40000000
CLONE_THREAD = 0x00010000
ONLY = {
    "fcntl": (SECOND_ARGUMENT_AT, (*range(8), *range(36, 39), 1030, 1031, 1032)),
    "ioctl": (SECOND_ARGUMENT_AT, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
    "prctl": (FIRST_ARGUMENT_AT, (3, 15, 16, 0x53564D41)),
}
"""What these may be asked for. `fcntl`: copies of descriptors, their flags, locks, the size of a pipe. Others have the
kernel signal another process, tell who opens a file, or make whoever opens it wait (a lease). `ioctl`: whether it is
a terminal, how large, how much there is to read, the flags of a descriptor. Others set attributes of files that it
may only read, and these stay. `prctl`: names. Others let it outlive the grader, or hide from an ordinary user what
files it holds open."""

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
GET_VERSION, BENEATH_PATH = 1, 1
READ_FILE, READ_DIR, EXECUTE, WRITE_FILE, TRUNCATE = 1 << 2, 1 << 3, 1 << 0, 1 << 1, 1 << 14
FILE_RIGHTS = READ_FILE | EXECUTE | WRITE_FILE | TRUNCATE
REMOVING_AND_MAKING = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8
FILE_SYSTEM_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights that a version of Landlock knows, by the version that first knew so many."""
OLDEST_LANDLOCK, OLDEST_FOR_ANOTHER_USER = 3, 1
"""Before version 3, a file that may be read could be emptied by opening it with O_TRUNC (`truncate` itself is no
system call that a submission has). Another user may not, since it could not write there either."""
NETWORK_RIGHTS, SCOPES = 0b11, 0b11

CAPSET = {"x86_64": 126, "aarch64": 91}
CAPABILITY_VERSION = 0x20080522


def lock(orders: dict[str, Any]) -> None:
    """Close everything that `orders` names. Raises OSError where it cannot be done.

    memory_bytes, cpu_seconds: always. uid: the user to become. readable, writable: with them, Landlock hides
    all other paths. seccomp: whether system calls are cut down.
    """
    limit(orders["memory_bytes"], orders["cpu_seconds"])
    if orders.get("uid") is not None:
        become(orders["uid"])
    end_with_parent()
    if not orders.get("seccomp"):
        return
    _checked(_libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    drop_capabilities()
    if "readable" in orders:
        oldest = OLDEST_LANDLOCK if orders.get("uid") is None else OLDEST_FOR_ANOTHER_USER
        hide_all_but(orders["readable"], orders["writable"], oldest)
    cut_down_system_calls()


def limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Bounds that the process cannot lift again. SIGXCPU comes at `cpu_seconds`, SIGKILL a second later."""
    bounds = {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_CPU: (cpu_seconds, cpu_seconds + 1),
        resource.RLIMIT_FSIZE: (FILE_BYTES, FILE_BYTES),
        resource.RLIMIT_NOFILE: (OPEN_FILES, OPEN_FILES),
    }
    if sys.platform.startswith("linux"):  # elsewhere the kernel does not keep to it
        bounds[resource.RLIMIT_AS] = (memory_bytes, memory_bytes)
        bounds[resource.RLIMIT_MSGQUEUE] = (0, 0)
    for which, bound in bounds.items():
        resource.setrlimit(which, bound)


def become(uid: int) -> None:
    """Another user and group, for good. As a user of its own, its threads can be counted."""
    resource.setrlimit(resource.RLIMIT_NPROC, (THREADS, THREADS))
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def end_with_parent() -> None:
    """Be killed when the process that started this one is gone, however it went. Not where it has gone already."""
    if sys.platform.startswith("linux"):
        _checked(_libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "ending with the grader")


def drop_capabilities() -> None:
    """Also those that root would have."""
    header = struct.pack("=Ii", CAPABILITY_VERSION, 0)
    none = bytes(24)
    _checked(_libc().syscall(CAPSET[os.uname().machine], header, none), "dropping capabilities")


def landlock_version() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    return max(0, _libc().syscall(CREATE_RULESET, None, 0, GET_VERSION))


def hide_all_but(readable: Iterable[str], writable: Iterable[str], oldest: int = OLDEST_LANDLOCK) -> None:
    """Leave only these paths, and what is beneath them, to be opened; no TCP, no signals to the outside."""
    version = landlock_version()
    if version < oldest:
        raise OSError(f"Landlock version {oldest} is needed, the kernel has {version or 'none'}")
    handled = FILE_SYSTEM_RIGHTS[max(known for known in FILE_SYSTEM_RIGHTS if known <= version)]
    attributes = struct.pack("=QQQ", handled, NETWORK_RIGHTS, SCOPES)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _checked(_libc().syscall(CREATE_RULESET, attributes, size, 0), "a Landlock ruleset")
    for path in readable:
        _allow(ruleset, path, (READ_FILE | READ_DIR) & handled)
    for path in writable:
        _allow(ruleset, path, (READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | REMOVING_AND_MAKING) & handled)
    _checked(_libc().syscall(RESTRICT_SELF, ruleset, 0), "Landlock")
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        is_folder = os.path.isdir(path)
        rule = struct.pack("=Qi", rights if is_folder else rights & FILE_RIGHTS, place)
        _checked(_libc().syscall(ADD_RULE, ruleset, BENEATH_PATH, rule, 0), f"a Landlock rule for {path}")
    finally:
        os.close(place)


def cut_down_system_calls() -> None:
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in filter_program())
    code = ctypes.create_string_buffer(program)
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    _checked(_libc().prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0), "seccomp")


def filter_program() -> list[tuple[int, int, int, int]]:
    """The filter in classic BPF: (code, jump if true, jump if false, operand), jumps counted in instructions."""
    limited = numbers(LIMITED_TABLE)
    program = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_IF_EQUAL, 1, 0, architecture()),
        (RETURN, 0, 0, REFUSE | EPERM),
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_AT_LEAST, 0, 1, X32_BIT),
        (RETURN, 0, 0, REFUSE | ENOSYS),
    ]
    for number in numbers(ALLOWED_TABLE).values():
        program += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    for number in numbers(REFUSED_TABLE).values():
        program += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | EPERM)]
    program += checked_call(limited["clone"], FIRST_ARGUMENT_AT, JUMP_IF_ANY, CLONE_THREAD)  # no processes
    program += checked_call(limited["prlimit64"], FIRST_ARGUMENT_AT, JUMP_IF_EQUAL, 0)  # its own limits
    program += checked_call(limited["tgkill"], FIRST_ARGUMENT_AT, JUMP_IF_EQUAL, os.getpid())  # as in abort()
    for name, (argument_at, operands) in ONLY.items():
        program += checked_call(limited[name], argument_at, JUMP_IF_EQUAL, *operands)
    # `clone3` keeps its flags in memory, where a filter cannot look: "not implemented" makes libc use `clone`.
    return [*program, (RETURN, 0, 0, REFUSE | ENOSYS)]


def checked_call(number: int, argument_at: int, test: int, *operands: int) -> list[tuple[int, int, int, int]]:
    """Allow a system call where one of its arguments passes the test with one of the operands."""
    tests = [step for operand in operands for step in ((test, 0, 1, operand), (RETURN, 0, 0, ALLOW))]
    return [
        (JUMP_IF_EQUAL, 0, len(tests) + 2, number),
        (LOAD, 0, 0, argument_at),
        *tests,
        (RETURN, 0, 0, REFUSE | EPERM),
    ]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result
