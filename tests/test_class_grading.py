"""A class is graded once, whatever happens on the way, and nobody is given a 0 for the grader's failure."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from grader import UnusableError
from grader.classroom.grading import Order
from grader.classroom.points import REGRADE
from grader.classroom.results import Results
from grader.classroom.roster import BESIDE, digits_of, students_in
from tests.classroom import (
    HALF,
    POINTS,
    TEXTS,
    class_command,
    class_run,
    graded,
    is_alive,
    kill_at,
    make_class,
    record_of,
    rows_of,
    runs_of,
    settings_of,
    small_suites,
    started,
    wait_until,
    warm_processes,
)
from tests.grading import HIDDEN, RIGHT, run_grader

pytestmark = pytest.mark.xdist_group("class-grading")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("class")


@pytest.fixture(scope="module")
def suites(folder):
    return small_suites(folder / "suites")


@pytest.fixture(scope="module")
def handed_in(folder):
    return make_class(folder / "handed-in")


@pytest.fixture(scope="module")
def undisturbed(folder, suites, handed_in):
    """The class, graded in one go by the command line."""
    out = folder / "undisturbed"
    done = class_run(handed_in, out, suites)
    assert done.returncode == 0, done.stderr
    assert "graded now: 10 of 11; the class: 10 graded, 1 missing" in done.stdout
    return out


def test_everybody_gets_what_their_file_is_worth(undisturbed):
    rows = rows_of(undisturbed)
    assert set(rows) == {*TEXTS, "nothing"}
    assert {name: float(rows[name]["final"]) for name in POINTS} == POINTS
    assert rows["nothing"]["status"] == "missing"
    assert "holds no assignment/compression.py" in rows["nothing"]["reason"]
    assert rows["nothing"]["final"] == ""


def test_submissions_do_not_meet_in_the_process_that_grades_them(undisturbed):
    """A fork each: strikes, imports and patched modules of one are none of another's."""
    reasons = {test["reason"] for test in record_of(undisturbed, "right")["tests"]}
    assert reasons == {None}
    killed = [test["reason"] for test in record_of(undisturbed, "hostile")["tests"]]
    assert any("ended the process it ran in" in reason for reason in killed)


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="it looks into /proc")
def test_two_deaths_change_no_row_and_repeat_only_what_was_in_flight(folder, suites, handed_in, undisturbed):
    out = folder / "disturbed"
    kill_at(class_command(handed_in, out, suites), out, 3)
    first = runs_of(out)
    kill_at(class_command(handed_in, out, suites, "--resume"), out, len(first) + 2)
    second = runs_of(out)
    assert second.items() >= first.items(), "a run that was kept is lost"
    done = class_run(handed_in, out, suites, "--resume")
    assert done.returncode == 0, done.stderr
    assert runs_of(out).items() >= second.items()
    assert len(runs_of(out)) == len(TEXTS), "somebody was graded twice"
    assert rows_of(out) == rows_of(undisturbed)
    assert not [path for path in out.rglob(".*") if path.name != ".lock"], "half-written files are left"


def test_ctrl_c_keeps_what_is_done_and_leaves_nothing_running(folder, suites):
    """Of a class so large that no machine is through with it when the first is done."""
    out = folder / "stopped"
    many = make_class(folder / "many", {f"s{number}": RIGHT for number in range(80)})
    process = started(class_command(many, out, suites))
    wait_until(lambda: len(list(out.glob("*/runs/0*"))) >= 1)
    family = warm_processes(process.pid)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert "what was graded is kept, and --resume goes on from there" in said
    assert not any(map(is_alive, family))
    kept = {path.parent.parent.name for path in out.glob("*/runs/0001")}
    assert kept
    assert {row["id"] for row in rows_of(out).values() if row["status"] == "graded"} == kept


def test_nothing_is_graded_again_unless_something_changed(folder, suites, tmp_path):
    place, out = make_class(tmp_path / "in", {"ada": "", "bob": RIGHT}), tmp_path / "out"
    assert graded(place, out, suites).graded == 2
    assert graded(place, out, suites).graded == 0
    (place / "ada" / "assignment" / "compression.py").write_text(RIGHT)
    assert graded(place, out, suites).graded == 1
    shelf = Results(out).shelf("ada")
    assert record_of(out, "ada")["totals"]["points"] == 100
    assert [record["totals"]["points"] for record in shelf.history()] == [0]
    assert Results(out).shelf("bob").history() == []


def test_a_grader_error_is_tried_twice_reported_and_no_zero(tmp_path):
    broken = (
        HIDDEN
        + '\n@pytest.mark.grades("double")\ndef test_breaks(submission):\n    raise OSError("no disk")\n'
    )
    suites = small_suites(tmp_path / "suites", hidden=broken)
    place, out = make_class(tmp_path / "in", {"ada": RIGHT}), tmp_path / "out"
    done = class_run(place, out, suites)
    assert done.returncode == 1
    assert "grader error: ada: hidden tests: test_breaks: the test itself failed: OSError" in done.stdout
    row = rows_of(out)["ada"]
    assert (row["status"], row["points"], row["final"]) == ("grader error", "", "")
    assert Results(out).shelf("ada").job()["attempts"] == 2
    (suites / "tests_hidden" / "test_hidden.py").write_text(HIDDEN)
    assert graded(place, out, suites).rows[0].final == 100
    assert len(Results(out).shelf("ada").history()) == 1


def test_a_grading_that_dies_is_tried_again(tmp_path, suites):
    """Whatever kills the process that grades one submission, another takes its place."""
    kills = "\nimport os, signal, pathlib\n"
    kills += f"flag = pathlib.Path({str(tmp_path / 'flag')!r})\n"
    kills += '@pytest.mark.grades("double")\ndef test_dies(submission):\n'
    kills += "    submission.double(np.ones(1))\n    if not flag.exists():\n        flag.touch()\n        os.kill(os.getpid(), signal.SIGKILL)\n"
    own = small_suites(tmp_path / "suites", hidden=HIDDEN + kills)
    place, out = make_class(tmp_path / "in", {"ada": RIGHT}), tmp_path / "out"
    done = graded(place, out, own)
    assert done.errors == []
    assert done.rows[0].final == 100
    assert Results(out).shelf("ada").job()["attempts"] == 2


def test_a_class_is_graded_as_each_submission_alone_is(undisturbed, handed_in, suites, tmp_path):
    done = run_grader(
        "grade", handed_in / "wrong", "--out", tmp_path, "--seed", 7, "--suites", suites, "--no-compete"
    )
    assert done.returncode == 0, done.stderr
    alone, together = record_of(tmp_path, "wrong"), record_of(undisturbed, "wrong")
    assert (together["tests"], together["totals"]) == (alone["tests"], alone["totals"])
    assert together["submission"] == alone["submission"]


def test_after_a_correction_only_those_are_graded_whom_it_can_help(tmp_path):
    wrong = HIDDEN.replace("== 2 * x", "== (2 if x > 1e5 else 3) * x")
    suites = small_suites(tmp_path / "suites", hidden=wrong)
    texts = {"ada": RIGHT, "bob": HALF, "cyn": RIGHT.replace("x * 2", "x * (2 if x.sum() > 1e5 else 3)")}
    place, out = make_class(tmp_path / "in", texts), tmp_path / "out"
    graded(place, out, suites)
    assert Results(out).shelf("ada").result()["totals"]["points"] == 90
    (suites / "tests_hidden" / "test_hidden.py").write_text(HIDDEN)
    done = graded(place, out, suites, affected_by="test_double_of_one_number")
    assert {row.id: row.points for row in done.rows[:2]} == {"ada": 100, "bob": 30}
    assert runs_count(out) == {"ada": 2, "bob": 2, "cyn": 1}
    assert graded(place, out, suites).graded == 0, "who was not affected is not graded later either"


def runs_count(out):
    return {shelf.id: len(list(shelf.folder.glob("runs/0*"))) for shelf in Results(out).shelves()
            if shelf.newest_run()}  # fmt: skip


def test_results_have_one_writer(folder, suites, handed_in, undisturbed):
    with (
        Results(undisturbed).alone(),
        pytest.raises(UnusableError, match="another grade-class writes into"),
    ):
        graded(handed_in, undisturbed, suites)


def test_a_resumed_class_keeps_its_settings(folder, handed_in, tmp_path, suites):
    with pytest.raises(UnusableError, match="there is nothing to resume"):
        graded(handed_in, tmp_path / "new", suites, resumes=True)


def test_names_that_are_no_folder_names_stay_apart(tmp_path):
    for name in ("Ada L", "ada-l", "Ada;L", "=cmd"):
        (tmp_path / name).mkdir()
    (tmp_path / "bob.py").write_text("")
    (tmp_path / "bob.zip").write_bytes(b"")
    names = [student.handle for student in students_in(tmp_path)]
    assert len({name.casefold() for name in names}) == 6
    assert "cmd" in names
    assert all(name.startswith(("ada-l-", "Ada-L-")) for name in names if "ada" in name.lower())


def test_no_name_that_somebody_chose_is_the_folder_of_another(tmp_path):
    chosen = f"ada-{digits_of('ada.zip')}"
    for name in ("Ada.zip", "ada.zip", f"{chosen}.zip", "regrade.toml.zip"):
        (tmp_path / name).write_bytes(b"")
    found = {Path(student.path).name: student.handle for student in students_in(tmp_path)}
    assert len({name.casefold() for name in found.values()}) == 4
    assert all(
        name.startswith(chosen) and name != chosen for name in (found["ada.zip"], found[f"{chosen}.zip"])
    )
    assert found["regrade.toml.zip"] != REGRADE == BESIDE


def test_what_a_student_puts_in_the_place_of_the_commit_is_not_waited_for(tmp_path):
    make_class(tmp_path, dict.fromkeys(("fifo", "folder", "link", "noted"), ""))
    os.mkfifo(tmp_path / "fifo" / "commit")
    (tmp_path / "folder" / "commit").mkdir()
    (tmp_path / "noted" / "commit").write_text("0123abc\n")
    (tmp_path / "link" / "commit").symlink_to(tmp_path / "noted" / "commit")
    found = {student.handle: student.commit for student in students_in(tmp_path)}
    assert found == {"fifo": "", "folder": "", "link": "", "noted": "0123abc", "nothing": ""}


def test_a_name_that_is_no_text_stops_nobody(tmp_path, suites):
    os.makedirs(os.fsencode(tmp_path / "in") + b"/bad\xff\x1b[2J")
    graded(make_class(tmp_path / "in", {"ada": ""}), tmp_path / "out", suites)
    found = rows_of(tmp_path / "out")
    assert found["ada"]["status"] == "graded"
    assert r"bad\udcff\x1b[2J holds no" in found["bad-2J"]["reason"]


def test_the_plan_says_who_and_why_and_writes_nothing(tmp_path, suites):
    from grader.classroom.command import plan_lines

    place, out = make_class(tmp_path / "in", {"ada": "", "bob": RIGHT}), tmp_path / "out"
    order = Order(place, out, settings_of(suites), seed=7)
    assert list(plan_lines(order))[:2] == ["grade ada: never graded", "grade bob: never graded"]
    assert not out.exists()
    graded(place, out, suites)
    (place / "ada" / "assignment" / "compression.py").write_text("x = 1\n")
    before = sorted(path.stat().st_mtime_ns for path in out.rglob("*"))
    lines = list(plan_lines(order))
    assert lines[0] == "grade ada: new file"
    assert lines[-1] == "1 to grade, 1 missing, 3 in all"
    order.seed = 8
    assert "grade bob: another seed" in list(plan_lines(order))
    assert sorted(path.stat().st_mtime_ns for path in out.rglob("*")) == before


def test_where_there_is_no_class_nothing_is_made(tmp_path, suites):
    for options in ((), ("--plan",)):
        done = class_run(tmp_path / "nowhere", tmp_path / "out", suites, *options)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "out").exists()


def test_who_left_the_class_is_marked_and_keeps_what_they_had(tmp_path, suites):
    """A roster of today decides who counts: statistics, gradebooks and pages are of those in it alone."""
    from grader.classroom.gradebook import graded as in_gradebook
    from grader.classroom.report import facts_of

    place, out = make_class(tmp_path / "in", {"ada": RIGHT, "bob": HALF}), tmp_path / "out"
    rosters = []
    for names in (("ada", "bob"), ("ada",)):
        rosters.append(place / f"{len(names)}.csv")
        rosters[-1].write_text("\n".join(["handle", *names]) + "\n")
    graded(rosters[0], out, suites)
    done = graded(rosters[1], out, suites)
    rows = {row.id: row for row in done.rows}
    assert (rows["ada"].status, rows["bob"].status, rows["bob"].points) == ("graded", "not in the class", 30)
    assert rows_of(out)["bob"]["status"] == "not in the class"
    assert [each.student.handle for each in in_gradebook(Results(out))] == ["ada"]
    facts = facts_of(Results(out))
    assert (facts["mean"], facts["absent"]) == (100, [])
    assert (
        "graded now: 0 of 1; the class: 1 graded, 1 not in the class"
        in class_run(rosters[1], out, suites).stdout
    )
    assert [row.status for row in graded(rosters[0], out, suites).rows] == ["graded", "graded"]
