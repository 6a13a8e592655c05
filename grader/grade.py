"""Grade one submission: its tests, its competition run, its record.

The worker that runs hidden tests is never one that has run public ones, and what it prints goes
nowhere: hidden inputs do not come out of it in the log.
"""

from __future__ import annotations

import json
import secrets
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from assignment.data import DataError, Mnist, load_mnist
from assignment.nn import Sequential
from assignment.shared_model import shared_model
from grader import GraderError, UnusableError
from grader.canary import Canary
from grader.canary import read as read_canary
from grader.compete import compete
from grader.intake import Source, file_within, take
from grader.log import Log, nowhere
from grader.measured import Entry, WeighedSubmission
from grader.progress import Silent
from grader.record import Circumstances, Record, record_of, write
from grader.remote import Strikes, room_for
from grader.rules import COMPETITION_FILE, SUITES, Rules, SuitePaths, read_points, read_rules, rules_sha256
from grader.sandbox import Backend, Room
from grader.suites import TestResult, run_suite
from grader.trial import backend_for

TESTS = {"public": ("public",), "hidden": ("hidden",), "all": SUITES, "none": ()}
RESULT, ARTIFACT, LOG = "result.json", "model.fw", "log.txt"


@dataclass(frozen=True)
class Inputs:
    """What `compress` is run on in the competition. canary: None where there is to be none."""

    mnist: Mnist
    model: Sequential
    canary: Canary | None


@dataclass
class Request:
    """What to grade, how, and by which rules. `seed` None draws a fresh one, which the record names.

    inputs: those that are at hand already, the canary among them; None: they are read when they are needed.
    """

    path: Path
    out: Path = Path("results")
    tests: str = "all"
    competes: bool = True
    sandbox: str = "auto"
    unsafe: bool = False
    seed: int | None = None
    commit: str | None = None
    canary: Path | None = None
    twice: bool = True
    inputs: Inputs | None = None
    suites: SuitePaths = field(default_factory=SuitePaths)
    rules: Rules = field(default_factory=read_rules)


@dataclass
class Run:
    """One grading as it goes: what it has found so far, and what failed in the grader."""

    request: Request
    source: Source
    backend: Backend
    folder: Path
    seed: int
    progress: Silent
    tests: list[TestResult] = field(default_factory=list)
    entry: Entry | None = None
    data: str | None = None
    errors: list[str] = field(default_factory=list)
    strikes: Strikes = field(default_factory=Strikes)


def grade(request: Request, progress: Silent | None = None) -> Record:
    """Grade and write `OUT/<id>/result.json`, beside it `model.fw` and what the submission printed.

    Whatever fails in the grader itself stands in the record's `error`. Raises UnusableError, having
    written nothing, where there is nothing to grade, or where another submission of the same name has its result
    there; GraderError where not even a record can be made.
    """
    source = take(request.path)
    refuse_to_overwrite(request.out / source.id, source)
    return grade_source(request, source, progress)


def refuse_to_overwrite(folder: Path, source: Source) -> None:
    """Raises UnusableError where the folder has the result of another submission, and that one is still there."""
    try:
        earlier = Path(json.loads((folder / RESULT).read_bytes())["submission"]["source"])
        is_another = not file_within(earlier).samefile(file_within(Path(source.source)))
    except (OSError, ValueError, KeyError, TypeError):
        return  # none, or none that can be told apart
    if is_another:
        raise UnusableError(
            f"{folder} has the result of {earlier}: {source.source} has the same name, and needs another --out "
            f"(or remove {folder})"
        )


def grade_source(request: Request, source: Source, progress: Silent | None = None) -> Record:
    """The same for a file that has been taken already; `request.path` is not opened."""
    started, own_before = datetime.now(UTC), time.process_time()
    if request.canary is not None and not request.canary.is_dir():
        raise UnusableError(f"there is no canary at {request.canary}: make one with `grader canary`")
    backend = backend_for(request.sandbox, unsafe=request.unsafe)
    folder = made_folder(request.out / source.id)
    for name in (RESULT, ARTIFACT, LOG):
        (folder / name).unlink(missing_ok=True)
    seed = secrets.randbits(32) if request.seed is None else request.seed
    run = Run(request, source, backend, folder, seed, progress or Silent())
    grade_into(run, request.rules)
    made_with = Circumstances(
        rules_sha256(COMPETITION_FILE, request.suites.points_file),
        run.data,
        backend.name,
        seed,
        started,
        time.process_time() - own_before + backend.used_cpu_seconds,
    )
    error = "; ".join(run.errors) or None
    record = record_of(source, request.commit, made_with, run.tests, run.entry, error)
    write(record, folder / RESULT)
    return record


def made_folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableError(f"{path} cannot be made into a folder: {error.strerror}") from error
    return path


def grade_into(run: Run, rules: Rules) -> None:
    """The stages, one after the other; what fails in one of them does not stop the next."""
    log = Log(run.folder / LOG, rules.worker.log_kib * 1024)
    with ExitStack() as stack:
        room = stack.enter_context(room_for(run.source.content))
        sink = stack.enter_context(log.sink())
        suites = TESTS[run.request.tests]
        if "public" in suites:
            guarded(run, partial(test, run, rules, room, "public", sink))
        if run.request.competes:
            guarded(run, partial(compete_in, run, rules, room, sink))
        if "hidden" in suites:  # last: what hidden calls leave in the machine's caches, nobody reads aloud
            guarded(run, partial(test, run, rules, room, "hidden", sink))
    log.save()


def guarded(run: Run, stage: Callable[[], None]) -> None:
    """A stage's failure is the grader's, and is recorded, whatever it is."""
    try:
        stage()
    except (GraderError, DataError) as error:
        run.errors.append(str(error))
    except Exception as error:
        traceback.print_exc()
        run.errors.append(f"the grader met {type(error).__name__}: {error}")


def test(run: Run, rules: Rules, room: Room, suite: str, public_sink: int) -> None:
    is_hidden = suite == "hidden"
    worth = read_points(run.request.suites.points_file)
    with ExitStack() as stack:
        sink = stack.enter_context(nowhere()) if is_hidden else public_sink
        submission = stack.enter_context(
            WeighedSubmission(
                room,
                run.backend,
                rules.worker,
                sink=sink,
                private=is_hidden,
                strikes=run.strikes,
                rules=rules,
            )
        )
        result = run_suite(
            suite,
            submission,
            worth,
            run.request.suites,
            run.seed,
            on_collected=lambda count: run.progress.stage(f"{suite} tests", count),
            on_test=lambda outcome: run.progress.step(),
        )
    run.tests += result.tests
    if result.error is not None:
        run.errors.append(result.error)


def compete_in(run: Run, rules: Rules, room: Room, sink: int) -> None:
    run.progress.stage("data and shared model")
    inputs = run.request.inputs or inputs_with(run.request.canary)
    run.data = inputs.mnist.name
    limit = rules.competition.cpu_seconds
    titles = {
        "compress": f"compress (at most {limit:g} s of CPU time)",
        "again": "compress again, for the same bytes",
        "canary": "compress on the canary",
    }
    run.entry = compete(
        room,
        inputs.model,
        inputs.mnist,
        rules,
        run.backend,
        run.folder / ARTIFACT,
        sink=sink,
        canary=inputs.canary,
        twice=run.request.twice,
        on_tick=lambda seconds: run.progress.note(f"{seconds:.0f} s of CPU time"),
        on_stage=lambda name: run.progress.stage(titles[name]),
    )


def competition_inputs() -> tuple[Mnist, Sequential]:
    """The digits and the model that everybody compresses. Raises DataError."""
    return load_mnist(), shared_model()


def inputs_with(canary: Path | None) -> Inputs:
    """The same, and the canary of that folder. Raises DataError, and GraderError for a canary that is none."""
    mnist, model = competition_inputs()
    return Inputs(mnist, model, None if canary is None else read_canary(canary, mnist))
