"""The documentation site: it builds without a warning, its links lead somewhere, and what it says to type works."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from assignment.data import load_mnist
from assignment.scoring import FLOOR_PERCENT, REFERENCE_ACCURACY_PERCENT, REFERENCE_BYTES
from grader.release import release
from tests.console import Shell, Step, agrees, steps
from tests.grading import ROOT

DOCS = ROOT / "docs"
READMES = ("README.md", "assignment/README.md", "grader/student/README.md")
PAGES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
         for path in (*sorted(DOCS.glob("*.md")), *(ROOT / name for name in READMES))}  # fmt: skip
PROGRAMS = ("grader", "leaderboard", "assignment")
NOBODY = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
          for key, value in (("NAME", "Nobody"), ("EMAIL", "nobody@example.invalid"))}  # fmt: skip

on_the_site = pytest.mark.xdist_group("docs-site")


# The site.


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make docs` builds it, warnings being errors."""
    out = tmp_path_factory.mktemp("site")
    options = ["-W", "--keep-going", "-n", "-q", "-b", "html", "-d", str(out / "doctrees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(DOCS), str(out / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return out / "html"


class Page(HTMLParser):
    """What a page offers to link to, what it links to, and what it makes a browser load."""

    LOADS = (("script", "src"), ("img", "src"), ("img", "srcset"), ("source", "src"), ("source", "srcset"),
             ("iframe", "src"), ("video", "src"), ("audio", "src"), ("embed", "src"), ("object", "data"),
             ("link", "href"), ("image", "href"), ("use", "href"), ("form", "action"))  # fmt: skip
    NOT_LOADED = ("canonical", "author", "next", "prev", "search", "index", "help")

    def __init__(self, path: Path):
        super().__init__()
        self.ids, self.links, self.loads, self.styles = set[str](), list[str](), list[str](), list[str]()
        self._in_style = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        self._in_style = tag == "style"
        if "style" in found:
            self.styles.append(found["style"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        for _, attribute in (pair for pair in self.LOADS if pair[0] == tag and pair[1] in found):
            is_loaded = tag != "link" or found.get("rel") not in self.NOT_LOADED
            (self.loads if is_loaded else self.links).append(found[attribute])

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def is_outside(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


@on_the_site
def test_no_page_links_to_what_is_not_there(site, pages):
    missing = []
    for path, page in pages.items():
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if is_outside(link) or parts.scheme == "data":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                missing.append(f"{path.name}: {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                missing.append(f"{path.name}: {link} names no place there")
    assert not missing, "\n".join(missing)


@on_the_site
def test_no_page_asks_the_network_for_anything(site, pages):
    asked = [
        f"{path.name}: {load}" for path, page in pages.items() for load in page.loads if is_outside(load)
    ]
    styles = [(path.name, style) for path, page in pages.items() for style in page.styles]
    styles += [(path.name, path.read_text(encoding="utf-8")) for path in site.rglob("*.css")]
    outside = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^)"']*""")
    asked += [f"{name}: {found}" for name, style in styles for found in outside.findall(style)]
    assert not asked, "\n".join(asked)


@on_the_site
def test_every_page_can_be_reached_and_has_a_title(site, pages):
    for source in DOCS.glob("*.md"):
        page = pages[site / f"{source.stem}.html"]
        assert re.search(r"<h1>[^<]", (site / f"{source.stem}.html").read_text(encoding="utf-8")), source
        front = pages[site / "index.html"]
        assert any(urlsplit(link).path == f"{source.stem}.html" for link in front.links) or page is front


# What it says of the command line.


@cache
def help_of(*command: str) -> str:
    """What `python -m COMMAND --help` prints."""
    program = importlib.import_module(command[0] if "." in command[0] else f"{command[0]}.__main__")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as ended:
        program.main([*command[1:], "--help"])
    assert ended.value.code == 0, command
    return printed.getvalue()


@cache
def commands_of(*command: str) -> tuple[str, ...]:
    """The names that `--help` lists under COMMAND or SYSTEM; none where it takes no command."""
    listed = re.search(r"^  (?:COMMAND|SYSTEM)\n((?:    .*\n)+)", help_of(*command), re.MULTILINE)
    return tuple(re.findall(r"^    ([a-z][a-z0-9-]*)\b", listed[1], re.MULTILINE)) if listed else ()


def mentions() -> Iterator[tuple[str, str, list[str]]]:
    """Every `python -m ...` of ours on a page: the page, the program, and the words after it."""
    for name, text in PAGES.items():
        for found in re.finditer(
            r"\bpython3? -m (grader|leaderboard|assignment(?:\.ci)?)\b([^\n`|;&]*)", text
        ):
            words = re.split(r"\s{2,}#?|\s#\s", found[2].strip())[0].split()
            yield name, found[1], [word.strip("().,:") for word in words]


def test_every_command_on_a_page_is_one_that_there_is():
    wrong, seen = [], 0
    for page, program, words in mentions():
        command = [program]
        for word in words:
            if not (commands := commands_of(*command)):
                break
            if word not in commands:
                if not word.startswith(("-", "|")) and word.isalpha() and word.islower():
                    wrong.append(f"{page}: python -m {' '.join(command)} has no command {word}")
                break
            command.append(word)
        options = {word.partition("=")[0] for word in words if re.fullmatch(r"--[a-z][a-z-]*(=.*)?", word)}
        there = set(re.findall(r"--[a-z][a-z-]*", help_of(*command)))
        wrong += [f"{page}: python -m {' '.join(command)} has no {option}" for option in options - there]
        seen += 1
    assert seen > 40, "the pages are full of commands: the search for them is broken"
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_is_on_a_page(program):
    there = commands_of(program)
    assert there, f"python -m {program} --help lists no commands: the search for them is broken"
    named = {words[0] for _, of, words in mentions() if of == program and words}
    assert not set(there) - named, f"write about python -m {program} {', '.join(set(there) - named)} in docs/"


# What it says to type.


@pytest.mark.parametrize(
    ("printed", "shown", "is_alike"),
    [
        ("72 of 100 points\n", ["72 of 100 points"], True),
        ("72 of 100 points\n", ["71 of 100 points"], False),
        ("72 of 100 points\nmore\n", ["72 of 100 points"], False),
        ("72 of 100 points\n", ["72 of 100 points", "more"], False),
        ("a\nb\nc\n", ["a", "...", "c"], True),
        ("a\nc\n", ["a", "...", "c"], True),
        ("a\nb\nd\n", ["a", "...", "c"], False),
        ("as ada-3f2a at once\n", ["as ... at once"], True),
        ("as ada-3f2a at last\n", ["as ... at once"], False),
        ("ada (seed 17, 9.5 s of CPU time)\n", ["ada  (seed 4, 61 s of CPU time)"], True),
        ("bob (seed 17, 9.5 s of CPU time)\n", ["ada  (seed 4, 61 s of CPU time)"], False),
        ("", [], True),
        ("a word\n", [], False),
    ],
)
def test_what_a_page_shows_is_compared_but_for_what_varies(printed, shown, is_alike):
    assert agrees(printed, shown) == is_alike


@pytest.fixture
def shell(request, tmp_path) -> Iterator[Shell]:
    """In a fresh clone of this repository, or a release of it, that has been set up: with the tests' packages."""
    if not Path(sys.prefix, "bin", "activate").is_file():
        pytest.skip("the tests do not run in a virtual environment that a clone could use")
    folder = tmp_path / "featherweight"
    if getattr(request, "param", "clone") == "release":
        release(folder)
    else:
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    (folder / ".venv").symlink_to(sys.prefix)
    opened = Shell(folder, {**os.environ, **NOBODY}, tmp_path / "errors")
    opened.run("source .venv/bin/activate")
    yield opened
    opened.close()


FIGURES = re.compile(
    r"[\d,]+ │ +[\d.]+ % │.*│ +(?:yes|no) │.*"  # the line of the competition's table
    r"|\((?:score [\d.]+|not ranked), [\d,]+ bytes, [\d.]+ %\)"
)
"""What training on the data at hand gives: the same on one machine, a little different on another's processor."""

CLOSE = 0.1
"""How far such figures on MNIST may be from those on the page."""


def walk(shell: Shell, tmp_path: Path, page: str, fails: str = " never") -> None:
    """Type every command of a page, and compare; those with `fails` in them are to end in exit code 1."""

    def here(text: str) -> str:
        text = text.replace(str(tmp_path), "/home/you/course").replace("mnist-5k", "mnist")
        return FIGURES.sub("FIGURES", re.sub(r"\b\d+( given)? files", "N files", text))

    typed = steps(PAGES[page])
    assert typed, f"{page} has no commands: the search for them is broken"
    for step in typed:
        if step.command == "make setup":
            continue
        printed, code = shell.run(step.command)
        printed = "\n".join(line for line in printed.splitlines() if "measured on mnist-5k" not in line)
        assert code == (fails in step.command), f"{step.command}\n{printed}\n{shell.said()}"
        shown = "\n".join(step.shown)
        assert agrees(printed, step.shown, here), (
            f"{page}: {step.command}\nshows\n{shown}\nbut it prints\n{printed}"
        )
        check_figures(step, printed)


def check_figures(step: Step, printed: str) -> None:
    """On MNIST, figures are close to those on the page."""
    if load_mnist().name != "mnist":
        return
    there, here = ([float(number.replace(",", "")) for line in FIGURES.findall(text)
                    for number in re.findall(r"\d[\d,.]*\d", line.rpartition("│")[0] or line)]
                   for text in ("\n".join(step.shown), printed))  # fmt: skip
    if there:
        assert here == pytest.approx(there, rel=CLOSE), f"{step.command}: figures {here}, on the page {there}"


def test_the_guide_ends_in_a_published_leaderboard(shell, tmp_path):
    walk(shell, tmp_path, "docs/instructor-guide.md")
    page = (tmp_path / "published" / "index.html").read_text(encoding="utf-8")
    assert "light-kestrel" in page
    assert "linus" not in page


@pytest.mark.parametrize("shell", ["release"], indirect=True)
def test_the_quick_start_is_what_students_see(shell, tmp_path):
    walk(shell, tmp_path, "docs/student-quick-start.md", fails="pytest")


def test_the_test_of_the_example_finds_its_mistake(shell, tmp_path):
    walk(shell, tmp_path, "docs/writing-your-own-test.md", fails="--submission wrong/")


def test_python_on_a_page_gives_what_it_shows():
    blocks = [
        (name, block)
        for name, text in PAGES.items()
        for block in re.findall(r"^```python\n(>>> .*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]
    assert "docs/rules.md" in dict(blocks)
    for name, block in blocks:
        parsed = doctest.DocTestParser().get_doctest(block, {}, name, name, 0)
        assert doctest.DocTestRunner().run(parsed).failed == 0


def test_scores_worked_by_hand_are_worked_right():
    """The steps on the page, to the digits that it shows, from the constants of the score."""
    from math import log2

    text = PAGES["docs/rules.md"]
    for accuracy, size in ((97.2, 8192), (98.62, 1656)):
        kept = (accuracy - FLOOR_PERCENT) / (REFERENCE_ACCURACY_PERCENT - FLOOR_PERCENT)
        halvings = log2(REFERENCE_BYTES / size)
        assert f"({accuracy:g} - 90) / ({REFERENCE_ACCURACY_PERCENT:g} - 90)" in text
        assert f"= {kept:.3f}\n" in text
        assert f"log2({REFERENCE_BYTES:,} / {size:,}) = log2({REFERENCE_BYTES / size:.2f})" in text
        assert f"= {halvings:.3f} " in text
        assert re.search(rf"score = {kept:.3f} \* {halvings:.3f} += {kept * halvings:.3f}\n", text)
