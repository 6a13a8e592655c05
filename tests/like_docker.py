"""Run a command as Docker runs one with its default profile: root, with few capabilities and no namespaces.

    python tests/like_docker.py make attacks

Takes the capabilities away that Docker's default leaves out, and refuses the system calls that its seccomp
profile refuses without them (moby, profiles/seccomp/default.json): new namespaces, mounts, and the like. The
file system stays the machine's. Needs to be started as root, on Linux.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

from grader.lock import (
    ALLOW,
    ARCHITECTURE_AT,
    ENOSYS,
    EPERM,
    FIRST_ARGUMENT_AT,
    JUMP_IF_ANY,
    JUMP_IF_EQUAL,
    LOAD,
    NUMBER_AT,
    PR_SET_SECCOMP,
    REFUSE,
    RETURN,
    SECCOMP_MODE_FILTER,
)
from grader.syscalls import architecture

KEPT_CAPABILITIES = (
    "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,"
    "audit_write,setfcap"
)
NUMBERS = {
    "x86_64": {
        "clone": 56,
        "clone3": 435,
        "refused": (165, 166, 155, 272, 308, 428, 429, 430, 431, 432, 442),
    },
    "aarch64": {"clone": 220, "clone3": 435, "refused": (40, 39, 41, 97, 268, 428, 429, 430, 431, 432, 442)},
}
"""refused: mount, umount2, pivot_root, unshare, setns, and the newer calls that mount."""
NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""


def main(command: list[str]) -> None:
    if not command or os.geteuid() != 0:
        sys.exit("usage, as root: python tests/like_docker.py COMMAND [ARGUMENT ...]")
    refuse_namespaces()
    kept = ",".join(f"+{name}" for name in KEPT_CAPABILITIES.split(","))
    capabilities = f"--bounding-set=-all,{kept}", f"--inh-caps=-all,{kept}"
    os.execvp("setpriv", ["setpriv", *capabilities, *command])


def refuse_namespaces() -> None:
    numbers = NUMBERS[os.uname().machine]
    program = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_IF_EQUAL, 1, 0, architecture()),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_EQUAL, 0, 1, numbers["clone3"]),  # its flags are in memory: libc falls back on clone
        (RETURN, 0, 0, REFUSE | ENOSYS),
    ]
    for number in numbers["refused"]:
        program += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | EPERM)]
    program += [
        (JUMP_IF_EQUAL, 0, 3, numbers["clone"]),
        (LOAD, 0, 0, FIRST_ARGUMENT_AT),
        (JUMP_IF_ANY, 0, 1, NEW_NAMESPACES),
        (RETURN, 0, 0, REFUSE | EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    described = struct.pack("@HP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0):
        sys.exit(f"cannot set the filter: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main(sys.argv[1:])
