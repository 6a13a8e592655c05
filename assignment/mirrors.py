"""Downloading a file from whichever public mirror has it, without waiting for the ones that do not answer."""

from __future__ import annotations

import io
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

Verified = TypeVar("Verified")

CONNECT_SECONDS = 3.0
"""How long one address may take to accept a connection."""

SILENCE_SECONDS = 15.0
"""How long an open connection may say nothing."""

ANSWER_SECONDS = 5.0
"""How long we wait for the first mirror to answer at all: a machine without network is told after this."""

FILE_SECONDS = 300.0
"""How long one file may take."""

LARGEST_BYTES = 64 * 2**20


class MirrorError(Exception):
    """No mirror could give the file; the message says what each of them did."""


def quickest_first(name: str, mirrors: Sequence[str]) -> list[str]:
    """The mirrors that may have `name`, the first to say so in front.

    All are asked at once, so that one that hangs (in its name server, say) holds nobody up. Those that
    have not answered yet when the first one does keep their place in the queue; those that refused are out.

    Raises MirrorError when none answers in time.
    """
    answers: queue.Queue[tuple[str, str]] = queue.Queue()

    def ask(mirror: str) -> None:
        answers.put((mirror, _refusal(mirror + name)))

    for mirror in mirrors:
        threading.Thread(target=ask, args=(mirror,), daemon=True).start()
    refusals: dict[str, str] = {}
    deadline = time.monotonic() + ANSWER_SECONDS
    while len(refusals) < len(mirrors):
        try:
            mirror, refusal = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if not refusal:
            rest = [other for other in mirrors if other != mirror and other not in refusals]
            return [mirror, *rest]
        refusals[mirror] = refusal
    reasons = [refusals.get(mirror, "did not answer") for mirror in mirrors]
    if len(set(reasons)) == 1:
        raise MirrorError(f"{', '.join(map(_host, mirrors))}: {reasons[0]}")
    raise MirrorError("; ".join(f"{_host(m)} {reason}" for m, reason in zip(mirrors, reasons, strict=True)))


def download(name: str, mirrors: Sequence[str], verify: Callable[[bytes], Verified]) -> Verified:
    """What `verify` makes of the bytes of `name`, from the first mirror whose bytes it accepts.

    verify: bytes as they came -> what the caller wants; a ValueError sends us to the next mirror.

    Raises MirrorError when no mirror has acceptable bytes.
    """
    failures = []
    for mirror in mirrors:
        try:
            return verify(_get(mirror + name))
        except ValueError as error:
            failures.append(f"{_host(mirror)} sent a file that {error}")
        except _network_errors() as error:
            failures.append(f"{_host(mirror)} {_in_words(error)}")
    raise MirrorError(f"{name}: " + "; ".join(failures))


class _Limited(io.BytesIO):
    """Memory that a broken or malicious mirror cannot fill, nor trickle into for ever."""

    def __init__(self) -> None:
        super().__init__()
        self._deadline = time.monotonic() + FILE_SECONDS

    def write(self, chunk: Any) -> int:
        if self.tell() + len(chunk) > LARGEST_BYTES:
            raise ValueError(f"is larger than {LARGEST_BYTES} bytes")
        if time.monotonic() > self._deadline:
            raise ValueError(f"took longer than {FILE_SECONDS:.0f} s")
        return super().write(chunk)


def _downloader() -> Callable[..., Any]:
    # Imported here: where student code runs there is NumPy and no other package.
    import pooch  # type: ignore[import-untyped]

    return pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, SILENCE_SECONDS), chunk_size=1 << 16)


def _get(url: str) -> bytes:
    memory = _Limited()
    _downloader()(url, memory, None)
    return memory.getvalue()


def _refusal(url: str) -> str:
    """Why this address will not serve us, in words; empty when it will."""
    try:
        return "" if _downloader()(url, None, None, check_only=True) else "does not have it"
    except _network_errors() as error:
        return _in_words(error)


def _network_errors() -> type[Exception]:
    import requests

    return requests.exceptions.RequestException


def _in_words(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"answered with status {error.response.status_code}"
    if isinstance(error, requests.exceptions.Timeout):
        return "did not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broke off"
    return "could not be reached"


def _host(mirror: str) -> str:
    return urlsplit(mirror).netloc
