"""Training a head: from rows, vectors and verdicts to a file, always the same one."""

import json
import random
from base64 import b64encode
from struct import pack

import pytest

from glasnost.audit.head import parse_head
from glasnost.audit.train.head import LABELS, TEXT, embed, main, read_vectors, taken
from glasnost.policy.label import Label
from heads import SHA256

CORNERS = {Label.COMPLETE: (1, 0, 0, 0), Label.REFUSAL: (0, 1, 0, 0), Label.EVASION: (0, 0, 1, 0)}
CORNERS[Label.PROPAGANDA] = (0, 0, 0, 1)


def row(number, label="complete", **fields):
    return {
        "id": f"r{number}",
        "source": "speechmap",
        "lang": "en" if number % 2 else "zh",
        "domain": "ccp",
        "prompt": f"Question {number % 11}?",
        "response": "An answer.",
        "label": label,
        "model": f"model-{number % 7}",
        **fields,
    }


@pytest.fixture
def files(tmp_path):
    """Write rows whose vectors lie about a corner for each label, and what an audit that knows little said of them."""
    chance = random.Random(3)
    rows = [row(number, LABELS[number % 4 if number % 3 else 0]) for number in range(240)]
    vectors = [[each + chance.gauss(0, 0.2) for each in CORNERS[Label(given["label"])]] for given in rows]
    given = {name: tmp_path / f"{name}.jsonl" for name in ("rows", "vectors", "verdicts")}
    given["rows"].write_text("\n".join(map(json.dumps, [*rows, row(999, source="xstest")])))
    head = {"name": "m", "sha256": SHA256, "text": TEXT}
    kept = [
        {"id": each["id"], "vector": b64encode(pack("<4f", *vector)).decode()}
        for each, vector in zip(rows, vectors, strict=True)
    ]
    given["vectors"].write_text("\n".join(map(json.dumps, [head, *kept])))
    verdict = {"label": "complete", "probability": 0.85, "detector": "none"}
    given["verdicts"].write_text("\n".join(json.dumps({"id": each["id"], **verdict}) for each in rows))
    return given


def train(files, out):
    words = [files["rows"], "--vectors", files["vectors"], "--verdicts", files["verdicts"], "--out", out]
    main(list(map(str, words)))


def test_a_head_learns_what_its_vectors_show_and_is_the_same_each_time(files, tmp_path, capsys):
    train(files, tmp_path / "one.json")
    train(files, tmp_path / "two.json")
    text = (tmp_path / "one.json").read_text()
    assert text == (tmp_path / "two.json").read_text()
    head = parse_head(text, "one.json")
    assert head.sha256 == SHA256
    for label, corner in CORNERS.items():
        reading = head.read(corner)
        assert (reading.log_odds > 0) == (label is not Label.COMPLETE)
        assert label is Label.COMPLETE or reading.label is label
    # The audit said the same of all, so the head alone decides what they say together.
    assert head.chance(0.15, 10.0) > 0.9
    assert head.chance(0.15, -10.0) < 0.1
    shown = capsys.readouterr().out
    assert "240 rows with vectors of m" in shown
    assert "the audit alone\n  all  P 0.000  R 0.000" in shown


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, True),
        ({"source": "r1-moderation"}, False),
        ({"domain": "political_other"}, False),
        ({"lang": "fi"}, False),
        ({"label": "error"}, False),
        ({"label": "omission"}, False),
    ],
)
def test_only_rows_whose_licence_allows_it_are_taken(fields, wanted):
    assert taken(row(1, **fields)) is wanted


@pytest.mark.model
def test_vectors_that_are_missing_come_from_an_engine_and_are_kept(smollm_path, tmp_path, capsys):
    from engine_process import run_engine  # noqa: PLC0415 - the one test that needs an engine

    kept = tmp_path / "vectors.jsonl"
    with run_engine(smollm_path, tmp_path / "e.sock", "--ctx", "512") as engine, engine.client() as client:
        embed([row(1)], kept, client)
        first = kept.read_text()
        embed([row(1), row(2, response="另一个回答。")], kept, client)
        head, vectors = read_vectors(kept)
        assert kept.read_text().startswith(first)
        assert head["sha256"] == smollm_path.stem
        assert {len(vector) for vector in vectors.values()} == {576}
        assert all(abs(float(vector @ vector) - 1) < 1e-5 for vector in vectors.values())
        kept.write_text(json.dumps({**head, "sha256": SHA256}) + "\n")
        with pytest.raises(SystemExit, match="another model"):
            embed([row(1)], kept, client)
    assert "1 of 1 rows embedded" in capsys.readouterr().out
