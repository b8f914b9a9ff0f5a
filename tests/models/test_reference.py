from __future__ import annotations

from pathlib import Path

import pytest

from glasnost.errors import ModelFileError
from glasnost.models.catalogue import CATALOGUE, HubFile
from glasnost.models.reference import HubReference, WebReference, parse_reference

SHA = "ab" * 32


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("smollm2-135m", CATALOGUE["smollm2-135m"]),
        ("models/my.gguf", Path("models/my.gguf")),
        ("my.gguf", Path("my.gguf")),
        ("~/my.gguf", Path.home() / "my.gguf"),
        ("hf:o/r/f.gguf", HubReference("hf:o/r/f.gguf", HubFile("o/r", "f.gguf", "main"), None)),
        ("hf:o/r/q4/f.gguf@v1", HubReference("hf:o/r/q4/f.gguf@v1", HubFile("o/r", "q4/f.gguf", "v1"), None)),
        (
            f"hf:o/r/f.gguf@v1#sha256={SHA}",
            HubReference(f"hf:o/r/f.gguf@v1#sha256={SHA}", HubFile("o/r", "f.gguf", "v1"), SHA),
        ),
        (
            f"https://example.org/f.gguf?x=1#sha256={SHA.upper()}",
            WebReference(f"https://example.org/f.gguf?x=1#sha256={SHA.upper()}", "https://example.org/f.gguf?x=1", SHA),
        ),
    ],
)
def test_a_reference_says_where_the_file_is(text, value):
    assert parse_reference(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gpt-9", "no model is called gpt-9; known are"),
        ("hf:owner-only", "not of the form hf:"),
        ("hf:o/r/f.gguf#sha256=12", "64 hex digits"),
        ("https://example.org/f.gguf", "must end in #sha256="),
        (f"https://example.org/f.gguf#{SHA}", "must end in #sha256="),
        (f"http://example.org/f.gguf#sha256={SHA}", "not encrypted"),
    ],
)
def test_a_reference_that_can_never_be_fetched_is_refused(text, why):
    with pytest.raises(ModelFileError, match=why):
        parse_reference(text)


def test_a_file_in_the_working_directory_needs_no_suffix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("weights").touch()
    assert parse_reference("weights") == Path("weights")
