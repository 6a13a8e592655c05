"""Which file of a submission is graded, and what is not a submission."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import zipfile
from pathlib import Path

import pytest

from grader import UnusableError, __main__
from grader.intake import LARGEST_SOURCE, take
from grader.table import heading

CODE = b"def prune(): pass\n"


def folder(path, content=CODE):
    (path / "assignment").mkdir(parents=True)
    (path / "assignment" / "compression.py").write_bytes(content)
    return path


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def test_file_folder_and_zip_give_the_same_source(tmp_path):
    ada = folder(tmp_path / "ada")
    (ada / "secret.py").write_text("never read")
    inner = "assignment/compression.py"
    zips = [{inner: CODE}, {f"repo-main/{inner}": CODE}, {"compression.py": CODE}, {"x/compression.py": CODE}]
    paths = [ada, ada / "assignment" / "compression.py"]
    for index, members in enumerate(zips):
        path = tmp_path / f"ada{index}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {"__MACOSX/" + inner: b"resource fork", "README.md": b"", **members}.items():
                archive.writestr(name, content)
        paths.append(path)
    sources = [take(path) for path in paths]
    assert {source.content for source in sources} == {CODE}
    assert {source.sha256 for source in sources} == {hashlib.sha256(CODE).hexdigest()}
    assert [source.id for source in sources] == ["ada", "ada", "ada0", "ada1", "ada2", "ada3"]


def test_names_are_fit_for_a_folder(tmp_path):
    assert take(folder(tmp_path / "Ada  L\u00f6velace ; x")).id == "Ada-L-velace-x"
    assert take(folder(tmp_path / "...")).id == "submission"


def test_the_file_nearest_to_the_top_of_a_zip_is_meant(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("old/copy/assignment/compression.py", b"old")
        archive.writestr("assignment/compression.py", CODE)
    assert take(path).content == CODE


def test_a_large_file_is_hashed_whole_and_kept_in_part(tmp_path):
    content = b"#" * (3 * LARGEST_SOURCE)
    source = take(folder(tmp_path / "a", content))
    assert source.too_large
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert len(source.content) == LARGEST_SOURCE + 1


def refused(path) -> str:
    with pytest.raises(UnusableError) as caught:
        take(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_what_is_not_there(tmp_path):
    assert "there is nothing" in refused(tmp_path / "nowhere")
    assert "holds no assignment/compression.py" in refused(tmp_path)
    (tmp_path / "compression.py").write_bytes(CODE)
    assert f"grade {tmp_path}/compression.py itself?" in refused(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    assert "is not a compression.py, a folder" in refused(tmp_path / "notes.txt")


def test_links_are_not_followed(tmp_path):
    ada = folder(tmp_path / "ada")
    file = ada / "assignment" / "compression.py"
    (tmp_path / "link.py").symlink_to(file)
    (tmp_path / "folder").symlink_to(ada)
    (tmp_path / "bob" / "assignment").mkdir(parents=True)
    (tmp_path / "bob" / "assignment" / "compression.py").symlink_to(file)
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "assignment").symlink_to(ada / "assignment")
    (tmp_path / "dangling.py").symlink_to(tmp_path / "nowhere")
    for name in ("link.py", "folder", "bob", "eve", "dangling.py"):
        assert "is a link" in refused(tmp_path / name)


def test_fifos_and_folders_in_the_files_place(tmp_path):
    os.mkfifo(tmp_path / "fifo.py")
    assert "neither a file nor a folder" in refused(tmp_path / "fifo.py")
    (tmp_path / "a" / "assignment").mkdir(parents=True)
    os.mkfifo(tmp_path / "a" / "assignment" / "compression.py")
    assert "no regular file" in refused(tmp_path / "a")
    (tmp_path / "b" / "assignment" / "compression.py").mkdir(parents=True)
    assert "is a folder" in refused(tmp_path / "b")


def test_zips_that_cannot_be_used(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"no zip")
    assert "is a broken zip" in refused(path)
    path.write_bytes(b"")
    assert "is a broken zip" in refused(path)
    zipped(path, **{"README.md": b""})
    assert "holds no assignment/compression.py" in refused(path)
    zipped(path, **{"a/compression.py": CODE, "b/compression.py": CODE})
    assert "holds 2 files that could be the submission" in refused(path)
    zipped(path, **{"assignment/compression.py": CODE * 100})
    good = path.read_bytes()
    path.write_bytes(good[:40] + b"????" + good[44:])
    assert "is a broken zip" in refused(path) or "cannot be unpacked" in refused(path)
    path.write_bytes(good[: len(good) // 2])
    assert "is a broken zip" in refused(path)


def test_a_broken_member_is_a_broken_zip_however_it_is_packed(tmp_path):
    path = tmp_path / "a.zip"
    name = "assignment/compression.py"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr(name, CODE * 100)
        good = path.read_bytes()
        start = 30 + len(name)
        for place in range(start, start + 20):
            path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
            with contextlib.suppress(UnusableError):
                assert take(path).content


def test_a_zip_that_asks_for_more_memory_than_there_is_is_broken(tmp_path, monkeypatch):
    path = zipped(tmp_path / "ada.zip", **{"assignment/compression.py": ""})

    def no_memory(*args, **kwargs):  # as LZMA does where its header asks for a window of 4 GiB
        raise MemoryError

    monkeypatch.setattr(zipfile.ZipFile, "open", no_memory)
    assert "is a broken zip" in refused(path)


def test_a_zip_whose_list_of_members_would_fill_memory_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    zipped(path, **{"assignment/compression.py": CODE})
    monkeypatch.setattr("grader.intake.LARGEST_DIRECTORY", 70)
    assert "holds far too many files" in refused(path)
    monkeypatch.setattr("grader.intake.LARGEST_DIRECTORY", 71)
    assert take(path).content == CODE


def test_a_link_or_a_folder_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    for mode, name in (
        (stat.S_IFLNK, "compression.py"),
        (stat.S_IFIFO, "compression.py"),
        (0, "compression.py/"),
    ):
        info = zipfile.ZipInfo(f"assignment/{name}")
        info.external_attr = (mode | 0o644) << 16 if mode else 0o40755 << 16
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(info, b"/etc/passwd")
        assert "is no regular file" in refused(path)


def test_names_that_a_student_chose_cannot_command_the_terminal(tmp_path, capsys):
    odd = "x\x1b]0;title\x07\x1b[2J\n\u202e"
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for folder in (odd, "b"):
            archive.writestr(f"{folder}/compression.py", "")
    with pytest.raises(UnusableError) as refused:
        take(tmp_path / "two.zip")
    assert str(refused.value).isprintable()
    assert r"x\x1b]0;title\x07\x1b[2J\n\u202e" in str(refused.value)
    shown = heading({"grader": {"seed": 1, "cpu_seconds": 1}, "submission": {"id": "x", "source": odd}})
    assert shown.plain.isprintable()


def test_a_folder_that_may_not_be_entered_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    Path("ada").mkdir(mode=0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root may enter all
        with pytest.raises(UnusableError, match=r"cannot be read \(Permission denied\)"):
            take(Path("ada"))
    finally:
        os.seteuid(user)


def test_score_waits_for_no_fifo_and_reads_nothing_without_end(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(__main__, "LARGEST_ARTIFACT", 1000)
    paths = {name: tmp_path / f"{name}.fw" for name in ("fifo", "folder", "large", "absent")}
    paths["endless"] = Path("/dev/zero")
    os.mkfifo(paths["fifo"])
    paths["folder"].mkdir()
    paths["large"].write_bytes(b"\xf1" * 1001)
    said = {}
    for name, path in paths.items():
        assert __main__.main(["score", str(path)]) == 2
        said[name] = capsys.readouterr().err
    assert "is no regular file, which an artifact is" in said["fifo"]
    assert "is no regular file, which an artifact is" in said["endless"]
    assert "Is a directory" in said["folder"]
    assert "is larger than 0 MiB, which no artifact is" in said["large"]
    assert "No such file" in said["absent"]
