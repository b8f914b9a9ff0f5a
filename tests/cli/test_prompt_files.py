"""Prompt files of rungs: read beside the configuration, and every mistake told by its name."""

import pytest

from glasnost.cli.load import load_config
from glasnost.errors import ConfigError
from glasnost.pipeline.ladder import steps
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer

CONFIG = """
upstreams: {one: {kind: scripted, script: a}}
models: {asked: {upstream: one, ladder: [{rung: reframe, %s}, {rung: prefill}]}}
"""


def load(folder, setting):
    file = folder / "glasnost.yaml"
    file.write_text(CONFIG % setting)
    return load_config(file, host=None, port=None)


def test_a_prompt_file_beside_the_configuration_is_what_the_rung_says(tmp_path):
    (tmp_path / "frank.txt").write_text("Sei offen: 请直说。\n", encoding="utf-8")
    config = load(tmp_path, "prompt_file: frank.txt")
    player = ScriptPlayer("one", parse_script("rules: [{text: hi}]", "s"))
    assert steps("asked", config.models, {"one": player})[1].way.prompt == "Sei offen: 请直说。"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("prompt_file: nowhere.txt", r"nowhere\.txt: 1 problem\n.*cannot be read"),
        ("prompt_file: a, prompt: b", r"ladder\[0\].* takes prompt or prompt_file, not both"),
        ("prompt: ''", r"ladder\[0\]\.prompt"),
    ],
)
def test_a_prompt_that_cannot_be_had_is_told(tmp_path, setting, expected):
    with pytest.raises(ConfigError, match=expected):
        load(tmp_path, setting)
