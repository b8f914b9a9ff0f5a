"""Models that were made to break their reader, behind a gateway: each is a clear error, and the next model answers."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gguf_files import ARRAY, STRING, U32, File, tiny
from running import Server, children_of, serve

pytestmark = [pytest.mark.faults, pytest.mark.model]

ECHO = "{% for message in messages %}{{ message.content }}{% endfor %}"
#: One template with every attack in it; what the user says chooses. Text of a client is no template.
ATTACKS = {
    "escape": "{{ cycler.__init__.__globals__.os.system('touch PWNED') }}",
    "climb": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "loop": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "allocate": "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "recurse": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
}


def hostile() -> str:
    said = "{% set said = messages[-1].content %}"
    return said + "".join(f"{{% if said == '{word}' %}}{each}{{% endif %}}" for word, each in ATTACKS.items()) + ECHO


def absurd_vocabulary() -> bytes:
    """Give a header whose vocabulary says that it holds 2^40 tokens."""
    key = "tokenizer.ggml.tokens"
    head = File({key: (ARRAY, (STRING, []))}).bytes()
    at = head.index(key.encode()) + len(key) + 8
    return head[:at] + struct.pack("<Q", 1 << 40) + bytes(4096)


def beyond_the_end() -> bytes:
    file = tiny()
    file.tensors[-1].offset = 1 << 40
    return file.bytes()


def narrow_tensor() -> bytes:
    """Give a sound header whose matrices do not fit each other: llama.cpp itself finds that out."""
    file = tiny()
    file.tensors[2].shape = (32, 16)
    return file.bytes()


SOUND = tiny(ECHO).bytes()
#: The bytes of each file, and what is said of it.
BAD = {
    "truncated": (SOUND[: len(SOUND) // 2], "it is not complete"),
    "cut-header": (SOUND[:8000], "the file ends at 8000, in the middle of its header"),
    "keys": (tiny().bytes(keys=2**64 - 1), "18446744073709551615 keys are more than there can be"),
    "tensors": (tiny().bytes(tensors=2**63), "tensors are more than there can be"),
    "magic": (b"PK\x03\x04" + SOUND[4:], "is not a GGUF file"),
    "beyond": (beyond_the_end(), "output_norm.weight' begins at 1099511627776, where 78080 is due"),
    "vocabulary": (absurd_vocabulary(), "1099511627776 texts in tokenizer.ggml.tokens are more than there can be"),
    "layers": (tiny(llama__block_count=(U32, 2**31)).bytes(), "block_count is 2147483648"),
    "architecture": (tiny(general__architecture=(STRING, "lama")).bytes(), "lama.block_count is missing"),
}
#: What only llama.cpp finds out, or what takes the model to be loaded: the child ends.
BAD_IN_THE_CHILD = {
    "narrow": (narrow_tensor(), "wrong shape"),
    "tokenizer": (tiny(tokenizer__ggml__model=(STRING, "abacus")).bytes(), "abacus"),
    "no-template": (tiny("{% for %}").bytes(), "cannot be used"),
    "deep-template": (tiny("{{ " + "(" * 5000 + " }}").bytes(), "cannot be used"),
}
#: A vocabulary under the name of another kind: llama.cpp does not refuse it but ends the process.
FATAL = tiny(ECHO, tokenizer__ggml__model=(STRING, "bert"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, (data, _) in (BAD | BAD_IN_THE_CHILD).items():
        (folder / f"{name}.gguf").write_bytes(data)
    FATAL.write(folder / "fatal.gguf")
    tiny(ECHO).write(folder / "good.gguf")
    tiny(hostile()).write(folder / "hostile.gguf")
    return folder


@pytest.fixture(scope="module")
def server(folder) -> Iterator[Server]:
    names = [path.stem for path in folder.glob("*.gguf")]
    local = {"kind": "local", "ctx": 512, "slots": 1, "threads": 1}
    upstreams = {name: local | {"gguf": str(folder / f"{name}.gguf")} for name in names}
    models = {name: {"upstream": name} for name in names}
    config = folder / "glasnost.yaml"
    # Every failure is to be seen: none is answered by an open circuit.
    config.write_text(json.dumps({"upstreams": upstreams, "models": models, "failover": {"failures": 1_000}}))
    with serve("--config", str(config)) as each:
        yield each


def ask(server: Server, model: str, text: str = "hello") -> httpx.Response:
    messages = [{"role": "user", "content": text}]
    body = {"model": model, "messages": messages, "max_tokens": 3, "temperature": 0}
    return httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=60)


def engine(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "glasnost", "engine", str(path), "--ctx", "512", "--port", "0"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_not_sound_is_named_to_the_client_and_others_are_served(server, name):
    refused = ask(server, name)
    assert refused.status_code == 503
    error = refused.json()["error"]
    assert (error["code"], error["src"]) == ("upstream_unavailable", "upstream")
    assert f"The engine '{name}' did not start: {name}.gguf " in error["message"]
    assert BAD[name][1] in error["message"]
    assert ask(server, "good").status_code == 200


@pytest.mark.parametrize("name", BAD_IN_THE_CHILD)
def test_what_only_the_child_can_tell_ends_the_child_alone(server, name):
    refused = ask(server, name)
    assert refused.status_code == 503
    assert f"The engine '{name}' did not start" in refused.json()["error"]["message"]
    assert ask(server, "good").status_code == 200


@pytest.mark.parametrize("name", ["keys", "narrow", "no-template"])
def test_an_engine_that_runs_alone_says_what_is_wrong_with_its_file_and_exits_1(folder, name):
    done = engine(folder / f"{name}.gguf")
    assert done.returncode == 1
    assert "glasnost engine: " in done.stderr
    assert f"{name}.gguf " in done.stderr
    assert (BAD | BAD_IN_THE_CHILD)[name][1] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_over_which_llama_cpp_ends_the_process_ends_the_child_alone_and_says_where(server, folder):
    refused = ask(server, "fatal")
    assert refused.status_code == 503
    assert "The engine 'fatal' did not start: it was ended by SIGABRT" in refused.json()["error"]["message"]
    assert ask(server, "good").status_code == 200
    done = engine(folder / "fatal.gguf")
    assert done.returncode == -signal.SIGABRT
    assert done.stderr.splitlines()[-1].endswith("fatal error"), "and no pages of a debugger"


def test_a_hostile_template_fails_its_own_requests_and_the_engine_goes_on(server, folder):
    assert ask(server, "hostile").status_code == 200
    before = sorted(children_of(server.process.pid))
    for word in ATTACKS:
        began = time.monotonic()
        refused = ask(server, "hostile", word)
        assert refused.status_code >= 500, word
        message = refused.json()["error"]["message"]
        assert "the chat template of hostile.gguf fails: " in message
        assert time.monotonic() - began < 20, word
        assert ask(server, "good").status_code == 200
    assert ask(server, "hostile").status_code == 200
    assert sorted(children_of(server.process.pid)) == before, "no engine was started again"
    assert not [path for place in (Path(), folder) for path in place.glob("PWNED")]
