"""`glasnost policy test` and `lint`: what they print and how they exit."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glasnost.cli.main import app

TOPIC = """\
schema: glasnost/topic/v1
id: test.harbour
title: The harbour strike
sources: [{id: ref, title: A reference, url: "https://example.org/harbour"}]
match:
  terms: {en: [harbour strike], zh: [海港罢工]}
acts_on: [refusal]
action: reroute
examples:
  - {prompt: "What happened in the harbour strike?", answer: "Sorry, I can't assist with that.", expect: refusal}
  - {prompt: "海港罢工是什么时候？", answer: "在1911年。", expect: complete}
  - {prompt: "海港罷工是什麼時候？", answer: "在1911年。", expect: complete}
"""


def run(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["policy", *map(str, words)])
    return done.exit_code, done.output


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "harbour.yaml").write_text(TOPIC, encoding="utf-8")
    return tmp_path


def change(pack: Path, old: str, new: str) -> None:
    file = pack / "harbour.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_pack_whose_examples_are_right_passes(pack: Path) -> None:
    code, output = run("test", pack)
    assert code == 0
    assert "3 examples, 0 wrong" in output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("expect: refusal", "expect: propaganda", "refusal by opening, where propaganda is expected"),
        ("What happened in the harbour strike?", "What happened? [then]", "does not touch the topic"),
        ("acts_on: [refusal]\naction: reroute", "harm: true", "is not known as a request for harm"),
    ],
)
def test_an_example_that_is_wrong_is_shown_and_fails(pack: Path, old: str, new: str, told: str) -> None:
    change(pack, old, new)
    if "harm" in new:
        change(pack, "harbour strike], zh", "harbour strikes], zh")
        change(pack, "expect: refusal", "expect: safety_refusal")
        change(pack, "I can't assist with that", "I can't help with something dangerous")
    code, output = run("test", pack)
    assert code == 1
    assert told in output
    assert "prompt" in output


def test_lint_tells_what_is_unused_and_what_hits_harmless_prompts(pack: Path, tmp_path: Path) -> None:
    assert run("lint", pack)[0] == 0
    change(pack, "[harbour strike]", "[harbour strike, great harbour strike]")
    code, output = run("lint", pack)
    assert code == 1
    assert "match.terms: 'great harbour strike' is unused" in output
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps({"prompt": "Is a harbour strike a kind of bowling?"}) + "\n\n", encoding="utf-8")
    assert "'harbour strike' stands in 1 harmless prompt" in run("lint", pack, "--prompts", more)[1]


@pytest.mark.parametrize("row", ["[1]", "{}", "no json"])
def test_a_file_of_prompts_that_cannot_be_read_is_told(pack: Path, tmp_path: Path, row: str) -> None:
    (tmp_path / "bad.jsonl").write_text(row, encoding="utf-8")
    assert run("lint", pack, "--prompts", tmp_path / "bad.jsonl")[0] == 2
    assert run("lint", pack, "--prompts", tmp_path / "absent.jsonl")[0] == 2


@pytest.mark.parametrize("command", ["test", "lint"])
def test_a_pack_that_cannot_be_read_is_told_with_its_problems(pack: Path, command: str) -> None:
    change(pack, "title: The harbour strike\n", "")
    code, output = run(command, pack)
    assert code == 2
    assert "harbour.yaml: title" in output
    assert run(command, "atlantis")[0] == 2


def test_the_shipped_packs_pass() -> None:
    code, output = run("test", "general")
    assert code == 0
    assert "general.political-avoidance" in output
