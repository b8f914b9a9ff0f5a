from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from glasnost.audit.ngrams import BITS, buckets
from glasnost.audit.train import generate
from glasnost.audit.train.examples import FOLDS, examples
from glasnost.audit.train.fit import Trainer, gram_matrix, read_runs
from glasnost.audit.train.head import Before
from glasnost.audit.train.solve import sigmoid, solve_kernel, solve_linear
from glasnost.audit.train.verdicts import verdicts
from glasnost.policy.label import Label
from glasnost.policy.parse import parse_topic
from glasnost.policy.policy import build_policy
from harbour import TOPIC

REFUSALS = ["I would rather not go into this.", "That is not a subject for me.", "Let us speak of the sea."]
ANSWERS = [
    "The strike began in May and ended in June.",
    "Dockers stopped work for higher pay.",
    "Ships waited for weeks.",
]


def policy():
    """Compile the topic without the examples that it carries, so that the rows are all that is learnt from."""
    text = TOPIC.replace("ACTS_ON", "[refusal, evasion]").replace("ACTION", "flag")
    return build_policy([replace(parse_topic(text, "harbour.yaml"), examples=())])


def rows():
    found = []
    for number in range(48):
        texts = REFUSALS if number % 2 else ANSWERS
        label = "evasion" if number % 2 else "complete"
        found.append(
            {
                "source": "speechmap",
                "domain": "ccp",
                "lang": "en",
                "prompt": f"What happened in strike {number % 12}?",
                "response": f"{texts[number % 3]} {texts[(number + 1) % 3]}",
                "label": label,
                "model": f"model-{number % 8}",
            }
        )
    other = {"source": "xstest", "domain": "safety", "lang": "en", "prompt": "x", "response": "y", "label": "refusal"}
    return [*found, {**found[0], "label": "error"}, {**other, "model": "m"}]


def test_only_rows_that_may_be_learnt_from_are_and_errors_are_not():
    found = examples(policy(), rows())
    assert len(found) == 48
    assert {each.label for each in found} == {"evasion", "complete"}


def test_generated_answers_are_full_ones_that_nothing_is_measured_on():
    found = examples(policy(), rows(), [{"prompt": "Tell me about tea.", "response": "Tea is made of leaves."}])
    assert [(each.label, each.measured, each.model_fold) for each in found[48:]] == [("complete", False, None)]


def test_the_generated_answers_that_ship_are_answers_to_the_questions_and_fit():
    shipped = [json.loads(line) for line in generate.ANSWERS.read_text("utf-8").splitlines()]
    assert {row["prompt"] for row in shipped} <= set(generate.questions(["en", "zh"]))
    assert all(map(generate.fit, shipped))
    assert not generate.fit({"prompt": "Tell me about tea.", "response": "I'm sorry, but I can't assist with that."})


def test_no_prompt_and_no_model_is_in_two_folds():
    given = rows()[:48]
    found = examples(policy(), given)
    for key, fold in (("prompt", "prompt_fold"), ("model", "model_fold")):
        pairs = {(row[key], getattr(each, fold)) for row, each in zip(given, found, strict=True)}
        assert len(pairs) == len({row[key] for row in given})
        assert {number for _, number in pairs} <= set(range(FOLDS))


def test_what_is_learnt_tells_answers_of_other_prompts_and_models_apart():
    found = examples(policy(), rows())
    trainer = Trainer(found)
    log_odds = trainer.apart()
    truth = np.array([each.censored for each in found])
    assert log_odds[truth].min() > log_odds[~truth].max()
    chances = trainer.chances(log_odds, trainer.calibration(log_odds))
    assert ((chances > 0.5) == truth).all()


def test_verdicts_come_from_the_estimates_that_are_given_and_a_head_can_read_them(tmp_path):
    topics = policy()
    given = [{**row, "id": f"r{number}"} for number, row in enumerate(rows())]
    found = examples(topics, given)
    chances = np.where([each.censored for each in found], 0.9, 0.2)
    said = list(verdicts(topics, given, found, chances, [Label.PROPAGANDA] * len(found)))
    assert [each["id"] for each in said] == [f"r{number}" for number in range(48)]
    evasive, full = said[1], said[0]
    assert (evasive["label"], evasive["probability"], evasive["detector"]) == ("propaganda", 0.9, "classifier")
    assert (full["label"], full["probability"], full["detector"]) == ("complete", 0.8, "none")
    file = tmp_path / "verdicts.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in said))
    assert Before.read(file, given[:48]).chance == pytest.approx(chances)


def test_the_kind_of_an_answer_is_learnt_from_others():
    given = [dict(row) for row in rows()[:48] * 6]
    for number, row in enumerate(given):
        if row["label"] == "evasion" and number % 5 < 2:
            row.update(label="refusal", response="I cannot help with that request. I must refuse to answer.")
    found = examples(policy(), given)
    kinds = Trainer(found).kinds_apart()
    assert {kinds[at] for at, each in enumerate(found) if each.label == "refusal"} == {Label.REFUSAL}
    assert {kinds[at] for at, each in enumerate(found) if each.label == "evasion"} == {Label.EVASION}


def test_training_twice_gives_the_same_bytes(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "harbour.yaml").write_text(TOPIC.replace("ACTS_ON", "[refusal]").replace("ACTION", "flag"))
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({**row, "id": f"r{at}"}) + "\n" for at, row in enumerate(rows())))
    digests = set()
    for name in ("a", "b"):
        out = tmp_path / f"{name}.npz"
        said = tmp_path / f"{name}.jsonl"
        words = [str(file), "--pack", str(tmp_path / "pack"), "--out", str(out), "--verdicts", str(said)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "glasnost.audit.train", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "F1 1.000" in done.stdout
        assert len(said.read_text().splitlines()) == 48
        digests.add(hashlib.sha256(out.read_bytes() + said.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_weights_that_ship_give_what_the_trainer_gives():
    trainer = Trainer(examples(policy(), rows()))
    everything = np.arange(48)
    log_odds = trainer.log_odds(trainer.fit(everything), everything, everything)
    weights = trainer.weights(np.array([1.0, 0, 0, 0, 0]))
    grams, rarity = (weights[name] * weights[f"{name}_scale"] for name in ("grams", "rarity"))
    for at, example in enumerate(trainer.examples):
        place, values = buckets(example.text)
        values = values * rarity[place]
        shipped = values @ grams[place] / np.linalg.norm(values) + trainer.table[at] @ weights["dense"]
        assert shipped + weights["bias"] == pytest.approx(log_odds[at], abs=0.2)  # int8


def test_products_of_runs_are_those_of_their_vectors(monkeypatch):
    monkeypatch.setattr("glasnost.audit.train.fit._COMMON", 20)
    texts = [each["response"] for each in rows()[:48]]
    runs = read_runs(texts)
    table = np.zeros((48, 1 << BITS))
    table[runs.example, runs.bucket] = runs.value
    assert gram_matrix(runs, 48) == pytest.approx(table @ table.T)
    assert np.linalg.norm(table, axis=1) == pytest.approx(np.ones(48))


def test_both_spaces_have_the_same_solution():
    generator = np.random.default_rng(3)
    table = generator.normal(size=(80, 5))
    truth = (table @ [2.0, -1, 0, 0, 0.5] + generator.normal(size=80) > 0).astype(float)
    weight = np.full(80, 3.0)
    coefficients, bias = solve_kernel(table @ table.T, truth, weight)
    found, offset = solve_linear(table, truth, weight, 1.0)
    assert table.T @ coefficients == pytest.approx(found, abs=1e-4)
    assert bias == pytest.approx(offset, abs=1e-4)
    slope = table.T @ (weight * (sigmoid(table @ found + offset) - truth)) + found
    assert np.abs(slope).max() < 1e-3
