"""The reader of GGUF headers: it reads what is sound, and says in words what is not, whatever the bytes are."""

from __future__ import annotations

import ctypes
import os
import resource
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gguf_files import ARRAY, F32, STRING, U16, U32, U64, File, TensorInfo, array, tiny
from glasnost.engine.gguf import MAX_HEADER, MAX_TEXTS, read_gguf
from glasnost.engine.layout import layout_of
from glasnost.engine.tensors import BLOCKS, Array
from glasnost.errors import ModelFileError

SECONDS = 5.0  # for a machine that is very busy


def read(tmp_path: Path, data: bytes, name: str = "m.gguf"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_gguf(path)


def refusal(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(ModelFileError) as caught:
        read(tmp_path, data)
    return str(caught.value)


def test_a_sound_file_is_read_as_it_was_written(tmp_path):
    values = {"general.alignment": (U32, 32), "a.list": array(F32, [0.5, 2.0]), "b.text": (STRING, "ü"), "c": (U64, 7)}
    gguf = read(tmp_path, File(values, [TensorInfo("one", (4, 2)), TensorInfo("two", (3,))]).bytes())
    assert gguf.values["a.list"] == Array(F32, 2, (0.5, 2.0))
    assert (gguf.values["b.text"], gguf.values["c"]) == ("ü", 7)
    assert [(each.name, each.shape, each.size) for each in gguf.tensors] == [("one", (4, 2), 32), ("two", (3,), 12)]


def test_version_2_is_read_too(tmp_path):
    assert read(tmp_path, File({}, version=2).bytes()).values == {}


def test_long_arrays_and_texts_are_counted_and_not_kept(tmp_path):
    values = {"n": array(U32, range(5_000)), "tokenizer.ggml.tokens": array(STRING, [str(n) for n in range(3_000)])}
    gguf = read(tmp_path, File(values).bytes())
    assert gguf.values == {"n": Array(U32, 5_000, None), "tokenizer.ggml.tokens": Array(STRING, 3_000, None)}


def test_a_model_in_several_files_is_read_from_the_first(tmp_path):
    for number in (1, 2):
        file = File({"split.count": (U16, 2)}, [TensorInfo(f"part{number}", (8,))])
        file.write(tmp_path / f"m-{number:05}-of-00002.gguf")
    gguf = read_gguf(tmp_path / "m-00001-of-00002.gguf")
    assert [each.name for each in gguf.tensors] == ["part1", "part2"]
    with pytest.raises(ModelFileError, match="give the first"):
        read_gguf(tmp_path / "m-00002-of-00002.gguf")
    (tmp_path / "m-00002-of-00002.gguf").unlink()
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_gguf(tmp_path / "m-00001-of-00002.gguf")


@pytest.mark.parametrize(
    ("file", "word"),
    [
        (File({}, magic=b"GGML"), "is not a GGUF file"),
        (File({}, version=1), "version 1"),
        (File({}, version=0x03000000), "version 50331648"),
        (File({"": (U32, 1)}), "empty or stands there twice"),
        (File({"general.alignment": (U32, 24)}), "power of 2"),
        (File({"general.alignment": (STRING, "x")}), "power of 2"),
        (File({"k": (13, b"")}), "unknown type 13"),
        (File({"k": (ARRAY, (ARRAY, []))}), "array of the unknown type 9"),
        (File({"k": (ARRAY, (99, []))}), "array of the unknown type 99"),
        (File({"tokenizer.ggml.tokens": array(STRING, ["a", "b", "a"])}), "1 of the 3 tokens"),
        (File({"tokenizer.ggml.tokens": array(STRING, ["[EMPTY_1]", ""])}), "1 of the 2 tokens"),
        (File({}, [TensorInfo("t", (1, 1, 1, 1, 1))]), "5 dimensions"),
        (File({}, [TensorInfo("t", (0, 4))]), "the shape (0, 4)"),
        (File({}, [TensorInfo("t", (31,), kind=8)]), "no multiple of 32"),
        (File({}, [TensorInfo("t", (8,)), TensorInfo("t", (8,))]), "stands there twice"),
        (File({}, [TensorInfo("t", (8,), offset=64)]), "begins at 64, where 0 is due"),
        (File({}, [TensorInfo("t", (8,), offset=2**63)]), "begins at"),
    ],
)
def test_what_is_wrong_is_said_in_words(tmp_path, file, word):
    message = refusal(tmp_path, file.bytes())
    assert message.startswith("m.gguf ")
    assert word in message


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        ({"keys": 2**64 - 1}, "18446744073709551615 keys are more than there can be"),
        ({"tensors": 2**63}, "tensors are more than there can be"),
        ({"keys": 1_000}, "1000 keys are more than there can be"),
    ],
)
def test_counts_are_held_against_the_file_before_anything_is_read(tmp_path, counts, word):
    assert word in refusal(tmp_path, File({"a.b.c.d": (STRING, "a text that is long enough")}).bytes(**counts))


def test_lengths_are_held_against_the_file_before_anything_is_kept(tmp_path):
    data = File({"k": (STRING, "x")}).bytes()
    at = data.index(b"x") - 8
    assert "too long" in refusal(tmp_path, data[:at] + b"\xff" * 8 + b"x")
    assert "in the middle of its header" in refusal(tmp_path, data[:at] + (1 << 20).to_bytes(8, "little") + b"x")


def test_a_tensor_that_lies_beyond_the_end_is_told_with_both_ends(tmp_path):
    data = tiny().bytes()
    assert "and the file at" in refusal(tmp_path, data[:-4_000])


def zeros(tmp_path: Path, key: str, kind: int, count: int) -> Path:
    """Give a file of zeros with an array that says it is `count` long."""
    file = tmp_path / "m.gguf"
    head = File({key: array(kind, [])}).bytes()
    at = head.index(key.encode()) + len(key) + 8
    file.write_bytes(head[:at] + count.to_bytes(8, "little"))
    os.truncate(file, 1 << 40)  # a hole: nothing is on the disk
    return file


def refused_at_once(file: Path) -> str:
    began = time.monotonic()
    with pytest.raises(ModelFileError) as caught:
        read_gguf(file)
    assert time.monotonic() - began < SECONDS
    return str(caught.value)


def test_an_absurd_vocabulary_is_refused(tmp_path):
    message = refused_at_once(zeros(tmp_path, "tokenizer.ggml.tokens", STRING, 1 << 32))
    assert "texts in tokenizer.ggml.tokens are more than there can be" in message


@pytest.mark.parametrize(
    ("kind", "count", "word"),
    [
        (STRING, MAX_TEXTS + 1, "texts in k are more than there can be"),
        (U32, MAX_HEADER // 4, f"longer than {MAX_HEADER} bytes"),
    ],
)
def test_a_header_without_an_end_is_refused_within_bounds(tmp_path, kind, count, word):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert word in refused_at_once(zeros(tmp_path, "k", kind, count))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 * MAX_HEADER / 1024


def test_the_most_texts_there_can_be_are_read_in_seconds(tmp_path):
    began = time.monotonic()
    assert read_gguf(zeros(tmp_path, "k", STRING, MAX_TEXTS)).values["k"] == Array(STRING, MAX_TEXTS, None)
    assert time.monotonic() - began < 4 * SECONDS


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ModelFileError, match="is not a file"):
            read_gguf(path)
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        read_gguf(tmp_path / "none")


def sound_or_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    began = time.monotonic()
    with suppress(ModelFileError):
        layout_of(read_gguf(path))
    assert time.monotonic() - began < SECONDS


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(data=st.binary(max_size=300))
@example(data=b"")
@example(data=b"GGUF")
def test_any_bytes_are_read_or_refused(tmp_path, data):
    sound_or_refused(tmp_path / "m.gguf", data)
    sound_or_refused(tmp_path / "m.gguf", b"GGUF\x03\x00\x00\x00" + data)


HEADER = tiny().bytes()
NUMBER = st.one_of(st.integers(0, 300), st.sampled_from([2**n - 1 for n in (16, 31, 32, 63, 64)] + [2**31, 2**63]))


@FUZZ
@given(
    changes=st.lists(st.tuples(st.integers(0, 12_000), NUMBER, st.sampled_from([1, 4, 8])), max_size=4),
    end=st.one_of(st.none(), st.integers(0, len(HEADER))),
)
def test_a_changed_header_is_read_or_refused(tmp_path, changes, end):
    data = bytearray(HEADER)
    for at, number, size in changes:
        data[at : at + size] = (number % 256**size).to_bytes(size, "little")
    sound_or_refused(tmp_path / "m.gguf", bytes(data[:end]))


@pytest.mark.model
@settings(parent=FUZZ, max_examples=40)
@given(
    at=st.one_of(st.integers(0, 4_000), st.integers(0, 2_000_000)),
    new=st.binary(min_size=1, max_size=9),
)
def test_the_changed_header_of_a_real_model_is_read_or_refused(smollm_path, tmp_path, at, new):
    path = tmp_path / "m.gguf"
    if not path.exists():
        with smollm_path.open("rb") as source:
            path.write_bytes(source.read(2_000_000))
        os.truncate(path, smollm_path.stat().st_size)
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(len(new))
        file.seek(at)
        file.write(new)
        file.flush()
        with suppress(ModelFileError):
            layout_of(read_gguf(path))
        file.seek(at)
        file.write(old)


def test_sizes_of_blocks_are_those_of_llama_cpp():
    llama_cpp = pytest.importorskip("llama_cpp")
    library = ctypes.CDLL(str(Path(llama_cpp.__file__).parent / "lib" / "libggml-base.so"))
    library.ggml_type_size.restype = ctypes.c_size_t
    library.ggml_blck_size.restype = ctypes.c_int64
    for kind, block in BLOCKS.items():
        assert (library.ggml_blck_size(kind), library.ggml_type_size(kind)) == block, kind
