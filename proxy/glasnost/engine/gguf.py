"""What a GGUF file says of itself: keys, values and the places of its tensors, never the weights.

Whoever made the file may have made it to break its reader. So every count, length and place is held against a bound
and against the file's end before anything is read or kept, and whatever is wrong is a ModelFileError that says what
and at which byte. The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

from __future__ import annotations

import re
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from glasnost.engine.tensors import BLOCKS, Array, Gguf, Tensor, Value
from glasnost.errors import ModelFileError

#: Real headers hold a vocabulary and its merges, up to some 30 MB.
MAX_HEADER = 64 << 20
MAX_KEYS = 1 << 16
MAX_TENSORS = 1 << 16
MAX_NAME = 65_535
#: The largest vocabularies of today hold 262,144 tokens, and twice as many merges.
MAX_TOKENS = 1 << 20
MAX_TEXTS = 1 << 21
# Arrays of numbers up to this length are kept: what has one value a layer is far shorter.
_KEPT = 1_024
_CHUNK = 1 << 20
_MAX_SPLITS = 512

_ALIGNMENT = "general.alignment"
_TOKENS = "tokenizer.ggml.tokens"
_STRING, _ARRAY = 8, 9
_NUMBERS = {
    number: struct.Struct(f"<{code}")
    for number, code in {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }.items()
}
_U32, _U64 = _NUMBERS[4], _NUMBERS[10]


def read_gguf(path: Path) -> Gguf:
    """Read the header of a file, and of those that belong to it; raises ModelFileError for one that is not sound."""
    first = _read_file(path)
    count = first.values.get("split.count", 1)
    if not isinstance(count, int) or count <= 1:
        return first
    place = re.fullmatch(r"(.*)-(\d{5})-of-(\d{5})\.gguf", path.name)
    if place is None or int(place[3]) != count or int(place[2]) != 1 or count > _MAX_SPLITS:
        raise ModelFileError(
            f"{path.name} is a part of a model in {count} files; give the first, named NAME-00001-of-{count:05}.gguf"
        )
    rest = [path.with_name(f"{place[1]}-{number:05}-of-{place[3]}.gguf") for number in range(2, count + 1)]
    tensors = [tensor for part in rest for tensor in _read_file(part).tensors]
    return Gguf(first.name, first.values, (*first.tensors, *tensors))


def _read_file(path: Path) -> Gguf:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelFileError(f"{path.name} is not a file")
        with path.open("rb") as file:
            return _Reader(path.name, file, path.stat().st_size).read()
    except OSError as error:
        raise ModelFileError(f"{path.name} cannot be read: {error.strerror}") from error


class _Reader:
    """Reads one header from its beginning; holds no more than MAX_HEADER bytes of the file."""

    def __init__(self, name: str, file: BinaryIO, size: int) -> None:
        self._name = name
        self._file = file
        self._size = size
        self._data = b""
        self._at = 0
        self._texts_left = MAX_TEXTS

    def read(self) -> Gguf:
        if self._size < 4 or self._take(4) != b"GGUF":
            raise ModelFileError(f"{self._name} is not a GGUF file")
        version = self._number(_U32)
        if version not in (2, 3):
            raise self._wrong(f"it is of version {version}, and versions 2 and 3 are known")
        tensors = self._count("tensors", MAX_TENSORS, least=24)
        keys = self._count("keys", MAX_KEYS, least=13)
        values: dict[str, Value] = {}
        for _ in range(keys):
            key = self._text("a key", MAX_NAME)
            if not key or key in values:
                raise self._wrong(f"the key {key[:64]!r} is empty or stands there twice")
            values[key] = self._value(key)
        infos = [self._tensor() for _ in range(tensors)]
        return Gguf(self._name, values, self._placed(infos, values))

    def _value(self, key: str) -> Value:
        kind = int(self._number(_U32))
        if kind == _STRING:
            return self._text(f"the value of {key[:64]}", MAX_HEADER)
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind != _ARRAY:
            raise self._wrong(f"{key[:64]} is of the unknown type {kind}")
        return self._array(key)

    def _array(self, key: str) -> Array:
        kind = int(self._number(_U32))
        if kind == _STRING:
            return Array(kind, self._texts(key), None)
        if kind not in _NUMBERS:
            raise self._wrong(f"{key[:64]} is an array of the unknown type {kind}")
        number = _NUMBERS[kind]
        length = self._count(f"values in {key[:64]}", MAX_HEADER, least=number.size)
        data = self._take(length * number.size)
        items = tuple(value for (value,) in number.iter_unpack(data)) if length <= _KEPT else None
        return Array(kind, length, items)

    def _texts(self, key: str) -> int:
        """Go past an array of texts, and see that the tokens of a vocabulary differ."""
        tokens = key == _TOKENS
        length = self._count(f"texts in {key[:64]}", MAX_TOKENS if tokens else self._texts_left, least=8)
        self._texts_left -= length
        seen: set[bytes] = set()
        for index in range(length):
            start = self._at + 8
            if start > len(self._data):
                self._fill(8)
            end = start + _U64.unpack_from(self._data, self._at)[0]
            if end > len(self._data):
                self._fill(end - self._at)
            if tokens:
                # What llama.cpp takes in the place of an empty one.
                seen.add(self._data[start:end] or b"[EMPTY_%d]" % index)
            self._at = end
        if tokens and len(seen) != length:
            raise self._wrong(f"{length - len(seen)} of the {length} tokens stand there twice")
        return length

    def _tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._text("a tensor's name", MAX_NAME)
        dimensions = int(self._number(_U32))
        if dimensions > 4:
            raise self._wrong(f"the tensor {name[:64]!r} has {dimensions} dimensions, and 4 are the most")
        shape = tuple(int(self._number(_U64)) for _ in range(dimensions))
        kind, offset = int(self._number(_U32)), int(self._number(_U64))
        if not all(0 < length < 1 << 48 for length in shape):
            raise self._wrong(f"the tensor {name[:64]!r} has the shape {shape}")
        return name, shape, kind, offset

    def _placed(
        self, infos: list[tuple[str, tuple[int, ...], int, int]], values: Mapping[str, Value]
    ) -> tuple[Tensor, ...]:
        """Check that the tensors lie one after the other, as llama.cpp demands, and end before the file does."""
        alignment = values.get(_ALIGNMENT, 32)
        if isinstance(alignment, bool) or not isinstance(alignment, int) or alignment.bit_count() != 1:
            raise self._wrong(f"{_ALIGNMENT} is no power of 2")
        data = _padded(self._at, alignment)
        due, placed = 0, dict[str, Tensor]()
        for index, (name, shape, kind, offset) in enumerate(infos):
            following = infos[index + 1][3] if index + 1 < len(infos) else self._size - data
            size = self._bytes(name, shape, kind, following - offset)
            if name in placed:
                raise self._wrong(f"the tensor {name[:64]!r} stands there twice")
            if offset != due:
                raise self._wrong(f"the tensor {name[:64]!r} begins at {offset}, where {due} is due")
            if data + offset + size > self._size:
                raise self._wrong(
                    f"the tensor {name[:64]!r} ends at byte {data + offset + size}, "
                    f"and the file at {self._size}: it is not complete"
                )
            due = _padded(offset + size, alignment)
            placed[name] = Tensor(name, shape, kind, size, data + offset)
        return tuple(placed.values())

    def _bytes(self, name: str, shape: tuple[int, ...], kind: int, otherwise: int) -> int:
        """Give a tensor's bytes; of a type that is newer than this table, those up to the next tensor."""
        if kind not in BLOCKS:
            return max(0, otherwise)
        elements, size = BLOCKS[kind]
        row = shape[0] if shape else 1
        if row % elements:
            raise self._wrong(f"a row of the tensor {name[:64]!r} holds {row} values, no multiple of {elements}")
        for length in shape[1:]:
            row *= length
        return row // elements * size

    def _count(self, what: str, most: int, *, least: int) -> int:
        """Read a number of things that take at least `least` bytes each."""
        count = int(self._number(_U64))
        if count > most or count * least > self._size - self._at:
            raise self._wrong(f"{count} {what} are more than there can be")
        return count

    def _text(self, what: str, most: int) -> str:
        size = int(self._number(_U64))
        if size > most:
            raise self._wrong(f"{what} of {size} bytes is too long")
        return self._take(size).decode("utf-8", "replace")

    def _number(self, number: struct.Struct) -> int | float | bool:
        value: int | float | bool = number.unpack(self._take(number.size))[0]
        return value

    def _take(self, size: int) -> bytes:
        self._fill(size)
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def _fill(self, size: int) -> None:
        """See that the next `size` bytes are in memory."""
        due = self._at + size
        if due > self._size:
            raise self._wrong(f"the file ends at {self._size}, in the middle of its header")
        if due > MAX_HEADER:
            raise self._wrong(f"the header is longer than {MAX_HEADER} bytes")
        while len(self._data) < due:
            more = self._file.read(max(_CHUNK, len(self._data), due - len(self._data)))
            if not more:
                raise self._wrong("the file became shorter while it was read")
            self._data += more

    def _wrong(self, why: str) -> ModelFileError:
        return ModelFileError(f"{self._name} cannot be loaded: at byte {self._at}, {why}")


def _padded(size: int, alignment: int) -> int:
    return (size + alignment - 1) // alignment * alignment
