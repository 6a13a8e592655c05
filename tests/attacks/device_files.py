"""Makes and opens device files: disks, memory, the kernel's log, the terminal"""
# honest:

import os
import stat
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


def attack():
    for name in (
        "mem",
        "kmem",
        "port",
        "kmsg",
        "kvm",
        "fuse",
        "net/tun",
        "tty",
        "console",
        "sda",
        "vda",
        "nvme0n1",
        "loop0",
    ):
        try:
            os.close(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
        except OSError:
            continue
        breach(f"/dev/{name} can be opened")
    disk = os.stat("/").st_dev
    for name, kind, number in (("memory", stat.S_IFCHR, os.makedev(1, 1)), ("disk", stat.S_IFBLK, disk)):
        try:
            os.mknod(name, kind | 0o600, number)
            os.close(os.open(name, os.O_RDONLY))
        except OSError:
            continue
        breach(f"a device file for {name} can be made and opened")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)
