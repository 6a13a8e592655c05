"""Grade a class: everybody once, with nothing lost to a death of this process, of a worker or of the machine."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader import UnusableError
from grader.classroom.key import REASONS
from grader.classroom.plan import Line, Planner, affected, chosen
from grader.classroom.points import Points, read_class_points
from grader.classroom.pool import LocalPool, Pool
from grader.classroom.results import JOB, SOURCE, Results, as_json
from grader.classroom.roster import Student, read_class
from grader.classroom.summary import Row, rows, write_summary
from grader.classroom.task import GRADER_LOG, Facts, Outcome, Settings, Task
from grader.grade import RESULT
from grader.progress import Silent
from grader.record import Circumstances, Record, record_of
from grader.rules import COMPETITION_FILE, rules_sha256

ATTEMPTS = 2
"""A grader error is tried once more."""


@dataclass
class Order:
    """What the user asks for. `settings.seed` None: the class's own, or a fresh one."""

    place: Path
    out: Path
    settings: Settings
    seed: int | None = None
    jobs: int = 1
    only: list[str] = field(default_factory=list)
    affected_by: str | None = None
    resumes: bool = False
    pool: Callable[[Settings, int], Pool] = LocalPool


@dataclass(frozen=True)
class Done:
    """What came of an order."""

    rows: list[Row]
    graded: int
    errors: list[str]


def settled(order: Order, results: Results) -> Settings:
    """The settings to grade by. A class keeps its seed, so that everybody meets the same inputs.

    Raises UnusableError where there is nothing to resume.
    """
    earlier = results.settings()
    if order.resumes:
        if earlier is None:
            raise UnusableError(f"there is nothing to resume in {order.out}: leave --resume out")
        return Settings(**earlier)
    seed = order.seed if order.seed is not None else None if earlier is None else earlier["seed"]
    return replace(order.settings, seed=secrets.randbits(32) if seed is None else seed)


def planned(
    order: Order, students: list[Student], results: Results, settings: Settings, pool: Pool
) -> list[Line]:
    """Everybody that the order is about, with what there is to do for each."""
    planner = Planner(results, settings, pool.facts.data if settings.competes else "")
    students = read_class(order.place)
    return chosen(map(planner.line, students), order.only)


def without_unaffected(lines: list[Line], order: Order, results: Results) -> list[Line]:
    """With --affected-by: only those whom that test can concern have something to do."""
    test = order.affected_by
    if test is None:
        return lines
    return [
        line if not line.why or affected(results, line.student.handle, test) else replace(line, why="")
        for line in lines
    ]


def accept_unaffected(lines: list[Line], narrowed: list[Line], order: Order, results: Results) -> None:
    """Runs of those whom the changed test does not concern stand for the new tests, if nothing else is new."""
    for line, other in zip(lines, narrowed, strict=True):
        if line.why == REASONS["tests"] and not other.why and line.key is not None:
            why = f"unaffected by a change of {order.affected_by}"
            results.shelf(line.student.handle).accept(asdict(line.key), why)


def grade_class(order: Order, progress: Silent | None = None) -> Done:
    """Grade whoever is to be graded, publish all results, write the summary.

    Raises UnusableError where there is no class, GraderError where nothing can be graded here.
    KeyboardInterrupt ends it: what is done is kept, what was in flight is not.
    """
    students = read_class(order.place)  # first: where there is no class, nothing is made or warmed
    results = Results(order.out)
    progress = progress or Silent()
    with results.alone():
        settings = settled(order, results)
        results.put_settings(asdict(settings))
        results.put_class(student.handle for student in students)
        points = read_class_points(settings.paths, order.out)
        progress.stage("getting ready")
        pool = order.pool(settings, order.jobs)
        graded, errors = 0, []
        try:
            everybody = planned(order, students, results, settings, pool)
            lines = without_unaffected(everybody, order, results)
            accept_unaffected(everybody, lines, order, results)
            for line in lines:
                results.shelf(line.student.handle).put_student(line.student)
            todo = [line for line in lines if line.task is not None and line.why]
            for name, has_failed in graded_lines(todo, results, settings, pool, progress):
                results.shelf(name).publish(points)
                graded += 1
                errors += [name] * has_failed
        finally:
            pool.close()
            made = published(results, points)
        return Done(made, graded, sorted(errors))


def published(results: Results, points: Points) -> list[Row]:
    """Bring everybody's result up to date, and the summary."""
    for shelf in results.shelves():
        shelf.publish(points)
    made = rows(results)
    write_summary(made, results)
    return made


def graded_lines(
    todo: list[Line], results: Results, settings: Settings, pool: Pool, progress: Silent
) -> Iterator[tuple[str, bool]]:
    """Each line as its run is kept, and whether the grader failed. As many at a time as the pool takes."""
    if not todo:
        return
    waiting = [(line, 1) for line in reversed(todo)]
    running: dict[Future[Outcome], tuple[Line, int, datetime]] = {}
    pace = Pace(len(todo), progress)
    while waiting or running:
        while waiting and len(running) < pool.size:
            line, attempt = waiting.pop()
            assert line.task is not None
            running[pool.submit(line.task)] = (line, attempt, datetime.now(UTC))
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            line, attempt, started = running.pop(future)
            outcome = outcome_of(future)
            if fault_in(outcome) and attempt < ATTEMPTS:
                waiting.insert(0, (line, attempt + 1))
                continue
            has_failed = keep(line, outcome, attempt, started, results, settings, pool.facts)
            pace.step(has_failed)
            yield line.student.handle, has_failed


def outcome_of(future: Future[Outcome]) -> Outcome:
    """What came back; whatever went wrong on the way is the grader's fault."""
    try:
        return future.result()
    except Exception as error:
        return Outcome(fault=f"the grading was lost: {type(error).__name__}: {error}")


def fault_in(outcome: Outcome) -> bool:
    """Whether there is no record, or one of a grader that failed."""
    return outcome.fault is not None or json.loads(outcome.files[RESULT])["error"] is not None


def keep(
    line: Line,
    outcome: Outcome,
    attempts: int,
    started: datetime,
    results: Results,
    settings: Settings,
    facts: Facts,
) -> bool:
    """Store a run; whether the grader failed in it. Without a record there is one that says so."""
    assert line.task is not None
    assert line.key is not None
    files, has_failed = dict(outcome.files), fault_in(outcome)
    if outcome.fault is not None:
        files[RESULT] = as_json(lost(line.task, outcome.fault, started, settings, facts))
    if not has_failed:
        files.pop(GRADER_LOG, None)
    job = {"key": asdict(line.key), "why": line.why, "attempts": attempts, "is_error": has_failed}
    files |= {SOURCE: line.task.content, JOB: as_json(job)}
    results.shelf(line.student.handle).add_run(files)
    return has_failed


def lost(task: Task, fault: str, started: datetime, settings: Settings, facts: Facts) -> Record:
    """The record of a grading that left none: an error, no points."""
    rules = rules_sha256(COMPETITION_FILE, settings.paths.points_file)
    made_with = Circumstances(rules, None, facts.sandbox, settings.seed, started, 0.0)
    return record_of(task.taken(), task.commit, made_with, [], None, fault)


class Pace:
    """Counts, and says how long it will go on."""

    def __init__(self, total: int, progress: Silent):
        self.total, self.progress = total, progress
        self.done = self.failed = 0
        self.started = time.monotonic()
        progress.stage("grading", total)

    def step(self, has_failed: bool) -> None:
        self.done += 1
        self.failed += has_failed
        left = (time.monotonic() - self.started) / self.done * (self.total - self.done)
        errors = f"{self.failed} grader error{'s' * (self.failed > 1)}, " if self.failed else ""
        self.progress.step(f"{errors}{spelled(left)} left")


def spelled(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )
