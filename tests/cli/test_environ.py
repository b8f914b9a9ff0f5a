"""Secrets of the environment, and those that stand in files which the environment names."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from glasnost.cli.environ import Environ
from glasnost.errors import ConfigError

CONFIG = """
upstreams: {a: {kind: http, base_url: "http://127.0.0.1:1/v1", api_key_env: HARBOUR_KEY}}
models: {asked: {upstream: a}}
ledger: {enabled: false}
"""


def test_a_variable_is_itself_and_else_what_its_file_holds(tmp_path):
    file = tmp_path / "key"
    file.write_text("from a file\n")
    environ = Environ({"BOTH": "set", "BOTH_FILE": str(file), "FILED_FILE": str(file), "EMPTY_FILE": ""})
    assert (environ["BOTH"], environ["FILED"]) == ("set", "from a file")
    assert (environ.get("EMPTY"), environ.get("NONE"), "FILED" in environ, "NONE" in environ) == (
        None,
        None,
        True,
        False,
    )
    assert list(environ) == ["BOTH", "BOTH_FILE", "FILED_FILE", "EMPTY_FILE"]
    file.write_text("another")
    assert environ["FILED"] == "another"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_told_by_the_variable_that_names_it(tmp_path, content):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"KEY_FILE: names the file .*key, which cannot be read: "):
        Environ({"KEY_FILE": str(file)})["KEY"]


@pytest.mark.parametrize(("name", "code"), [("key", 0), ("nothing", 2)])
def test_a_configuration_takes_its_secrets_from_files(tmp_path, name, code):
    (tmp_path / "key").write_text("sk-harbour-0123456789")
    (tmp_path / "c.yaml").write_text(CONFIG)
    environ = os.environ | {"HARBOUR_KEY_FILE": str(tmp_path / name)}
    command = [sys.executable, "-m", "glasnost", "config", "check", str(tmp_path / "c.yaml")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert ("HARBOUR_KEY_FILE" in done.stderr) == (code == 2)
    assert "sk-harbour" not in done.stdout + done.stderr
