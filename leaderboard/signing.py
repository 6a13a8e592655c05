"""Signatures: who vouches for an entry.

    key = new_key()                        # 64 hexadecimal digits, to be kept secret
    sign({"schema": ...}, key)             # (public key, signature), by Ed25519
    is_signed({"schema": ..., "signature": {...}})

A signature proves nothing by itself: anybody can make a key. Whoever reads it must know which public keys to
trust, and say so (`--trust`). The secret key comes from a file or an environment variable, never from the repository.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from leaderboard.documents import EntryError

VARIABLE = "FEATHERWEIGHT_SIGNING_KEY"
FILE_VARIABLE = "FEATHERWEIGHT_SIGNING_KEY_FILE"
PROJECT = Path(__file__).resolve().parent.parent
Key = Ed25519PrivateKey


def new_key() -> str:
    """A fresh secret key, as 64 hexadecimal digits."""
    return Ed25519PrivateKey.generate().private_bytes_raw().hex()


def public_key(key: Key) -> str:
    """The half that others may know, as 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()


def find_key(file: Path | None = None) -> Key | None:
    """The secret key: from `file`, from the environment variable, or from the file that another names.

    Raises EntryError where one is named and is none.
    """
    if file is None and os.environ.get(VARIABLE):
        return read_key(os.environ[VARIABLE], f"${VARIABLE}")
    if file is None and os.environ.get(FILE_VARIABLE):
        file = Path(os.environ[FILE_VARIABLE]).expanduser()
    if file is None:
        return None
    if not file.is_file():
        raise EntryError(f"there is no key {file}: make one with `python -m leaderboard key {file}`")
    if file.resolve().is_relative_to(PROJECT):
        raise EntryError(f"the key {file} lies in the repository: keep it where it cannot be committed")
    return read_key(file.read_text("ascii", "replace"), str(file))


def read_key(text: str, where: str) -> Key:
    """Raises EntryError, which never shows the text."""
    if not re.fullmatch(r"[0-9a-f]{64}", text.strip()):
        raise EntryError(f"{where} holds no key, which is 64 hexadecimal digits")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip()))


def read_trusted(texts: list[str]) -> frozenset[str]:
    """Public keys, each given by its digits or by a file with one a line (`#` begins a comment).

    Raises EntryError for what is neither.
    """
    keys: set[str] = set()
    for text in texts:
        lines = [text]
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            try:
                lines = Path(text).read_text("utf-8", "replace").splitlines()
            except OSError:
                raise EntryError(
                    f"--trust wants a public key (64 hexadecimal digits) or a file, got {text}"
                ) from None
        for line in filter(None, (line.split("#")[0].strip() for line in lines)):
            if not re.fullmatch(r"[0-9a-f]{64}", line):
                raise EntryError(f"{text}: a line is no public key, which is 64 hexadecimal digits")
            keys.add(line)
    return frozenset(keys)


def sign(document: Mapping[str, Any], key: Key) -> tuple[str, str]:
    """The public key, and the signature of the document without its `signature`, in hexadecimal digits."""
    return public_key(key), key.sign(_signed_bytes(document)).hex()


def is_signed(document: Mapping[str, Any]) -> bool:
    """Whether the document's signature is by the key that it names. Says nothing about who has that key."""
    signature = document["signature"]
    if signature is None:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["key"]))
        key.verify(bytes.fromhex(signature["value"]), _signed_bytes(document))
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed_bytes(document: Mapping[str, Any]) -> bytes:
    """The one way to write a document: keys sorted, no white space, ASCII. Its `schema` is signed, too."""
    plain = {name: value for name, value in document.items() if name != "signature"}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
