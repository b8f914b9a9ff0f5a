"""What llama.cpp said before it gave up, for the message of an error."""

from __future__ import annotations

import pytest

from gguf_files import TensorInfo, tiny
from glasnost.engine.llama import Model
from glasnost.engine.llama import lib as library
from glasnost.engine.settings import EngineSettings
from glasnost.errors import ModelFileError

INFO, WARNING, ERROR = 2, 3, 4


@pytest.fixture(autouse=True)
def fresh():
    library.start()
    yield
    library.start()


def say(*lines: tuple[int, str]) -> str:
    for level, line in lines:
        library._on_log(level, f"{line}\n".encode(), None)
    return library.last_words()


def test_errors_are_told_without_what_is_said_of_every_model():
    assert say((INFO, "loading"), (WARNING, "odd"), (ERROR, "no memory"), (INFO, "x"), (ERROR, "no buffer")) == (
        "no memory; no buffer"
    )


def test_warnings_are_told_where_there_is_no_error():
    assert say((INFO, "loading"), (WARNING, "odd")) == "odd"


def test_what_one_request_did_wrong_is_not_told_to_the_next():
    assert say((ERROR, "no such rule")) == "no such rule"
    assert say((INFO, "loading")) == "llama.cpp gave no reason"


def test_the_message_of_a_model_that_cannot_be_loaded_is_the_reason(tmp_path):
    file = tiny()
    file.tensors[2] = TensorInfo("blk.0.attn_q.weight", (32, 16))
    path = file.write(tmp_path / "m.gguf")
    with pytest.raises(ModelFileError) as caught:
        Model(EngineSettings(path=path, name="m"))
    assert str(caught.value).startswith("m.gguf cannot be loaded: llama_model_load: error loading model: ")
    assert "tensor 'blk.0.attn_q.weight' has wrong shape" in str(caught.value)
    assert "print_info" not in str(caught.value)
