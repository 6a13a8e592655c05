"""The same grading on a Dask cluster: the submission travels with the task, everything else is there already.

Needs the extra `dask` here, and on each machine of the cluster this repository, installed, at the same state. Each
of the cluster's processes keeps one warm process of its own (grader.classroom.warm).
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import asdict, replace
from typing import Any

from grader import GraderError, UnusableError
from grader.classroom.key import grader_sha256, rules, tests_sha256
from grader.classroom.pool import WarmProcess
from grader.classroom.task import Facts, Outcome, Settings, Task
from grader.rules import ROOT

CONNECT_SECONDS = 30
TASKS_AHEAD = 2
"""For each thread of the cluster, so that none waits for this process."""

_warm: dict[Settings, WarmProcess] = {}
_lock = threading.Lock()


def state_here(settings: Settings) -> str:
    """What must be the same on all machines."""
    return f"{grader_sha256()} {tests_sha256(settings.paths)} {rules()}"


def warm_here(settings: Settings, state: str) -> WarmProcess:
    """This process's own warm process. Raises GraderError where this machine has another grader."""
    if state_here(settings) != state:
        raise GraderError("a machine of the cluster has another state of this repository: update it")
    with _lock:
        found = _warm.get(settings)
        if found is None or found.is_over:
            found = _warm[settings] = WarmProcess(settings)
        return found


def facts_of(settings: dict[str, Any], state: str) -> Facts:
    return warm_here(Settings(**settings), state).facts


def graded_by(settings: dict[str, Any], state: str, task: str) -> Outcome:
    """Runs on the cluster."""
    return warm_here(Settings(**settings), state).submit(Task.from_json(task)).result()


class DaskPool:
    """Grades on the cluster whose scheduler is at `address`.

    Raises UnusableError where Dask is not installed, GraderError where there is no cluster.
    """

    def __init__(self, settings: Settings, address: str):
        try:
            from distributed import Client
        except ImportError as error:
            raise UnusableError("--dask needs Dask: pip install -e '.[dask]'") from error
        if settings.suites == str(ROOT):
            settings = replace(settings, suites="")  # each machine's own
        self._state = state_here(settings)
        self._settings = asdict(settings)
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise GraderError(f"there is no Dask scheduler at {address}: {error}") from error
        self._executor = self._client.get_executor(pure=False)
        threads = sum(self._client.nthreads().values())
        if not threads:
            self.close()
            raise GraderError(f"the Dask scheduler at {address} has no workers: start some")
        self.size = TASKS_AHEAD * threads
        self._facts: Facts | None = None

    @property
    def facts(self) -> Facts:
        if self._facts is None:
            self._facts = self._executor.submit(facts_of, self._settings, self._state).result()
        return self._facts

    def submit(self, task: Task) -> Future[Outcome]:
        future: Future[Outcome] = self._executor.submit(
            graded_by, self._settings, self._state, task.to_json()
        )
        return future

    def close(self) -> None:
        self._executor.shutdown(wait=False)
        self._client.close()
