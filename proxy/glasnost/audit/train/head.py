"""Train a head of the semantic tier: `python -m glasnost.audit.train.head ROWS.jsonl --vectors FILE --out HEAD.json`.

ROWS holds labelled answers (`id, source, lang, domain, prompt, response, label, model`). Those of SpeechMap on China in
English and Chinese are taken: their licence, Apache-2.0, lets a head be shipped. FILE holds their vectors; what it
lacks is asked of the engine at `--engine` (`glasnost engine MODEL.gguf`) and kept in it. `--verdicts` are what
`python -m glasnost.audit.train ROWS.jsonl --verdicts FILE` wrote: how their probabilities and the head's become one is
fitted to rows of which neither the classifier nor the head has seen the prompt or the model, and so are the figures.
(What `glasnost audit ROWS.jsonl --on-topic` writes has the same form, but the head's share comes out too small if the
classifier has learned from these rows.) The same files give the same head to the digit.
"""

# ruff: noqa: T201  # a command that prints its figures

from __future__ import annotations

import argparse
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from glasnost.audit.head import SCHEMA, Head, parse_head
from glasnost.audit.opinion import chance_of_censorship, open_to_opinions
from glasnost.audit.pair import Lengths
from glasnost.audit.train.softmax import Floats, fit
from glasnost.audit.verdict import Verdict
from glasnost.policy.label import Action, Label

LABELS = (Label.COMPLETE, Label.REFUSAL, Label.EVASION, Label.PROPAGANDA)
SOURCE, LICENCE = "speechmap", "Apache-2.0"
# What stands behind the answer asks what it did: the states of these tokens, too, go into the mean.
TEXT = (
    "Question: {question}\nAnswer: {answer}\n\nDid this answer speak openly, refuse, evade, or give the official "
    "position of the government? It"
)
LENGTHS = Lengths(question=60, head=200, tail=60)
PACKS = ("prc",)
RIDGE = 100.0
STACK_RIDGE = 1.0
BAND = (0.1, 0.9)
FOLDS = 5
_BATCH = 4

Row = dict[str, Any]
Bools = npt.NDArray[np.bool_]


def main(words: Sequence[str] | None = None) -> None:
    """Read, embed what is missing, print the figures of the folds, write the head."""
    parser = argparse.ArgumentParser(prog="python -m glasnost.audit.train.head", description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--verdicts", type=Path, required=True)
    parser.add_argument("--engine", help="the address of an engine, such as http://127.0.0.1:9000")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(words)
    with given.rows.open(encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if taken(row)]
    if given.engine:
        with httpx.Client(base_url=given.engine, timeout=600) as client:
            embed(rows, given.vectors, client)
    model, vectors = read_vectors(given.vectors)
    rows = [row for row in rows if row["id"] in vectors]
    matrix = np.array([vectors[row["id"]] for row in rows], dtype=np.float64)
    print(f"{len(rows)} rows with vectors of {model['name']}")
    before = Before.read(given.verdicts, rows)
    head = out_of_fold(rows, matrix)
    stack = fit_stack(rows, before, head)
    print_figures(rows, before, head, stack)
    text = head_file(model, matrix, rows, stack)
    parse_head(text, str(given.out))
    given.out.write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Before:
    """What the audit made of the rows without a head: the chance of censorship, and whether a rule has decided it."""

    chance: Floats
    decided: Bools

    @classmethod
    def read(cls, file: Path, rows: Sequence[Row]) -> Before:
        """Read the verdicts of these rows; KeyError names a row that has none."""
        with file.open(encoding="utf-8") as lines:
            told = {row["id"]: row for row in map(json.loads, lines)}
        verdicts = [_verdict(told[row["id"]]) for row in rows]
        chance = np.array([chance_of_censorship(verdict) for verdict in verdicts])
        return cls(chance, np.array([not open_to_opinions(verdict) for verdict in verdicts]))

    def log_odds(self) -> Floats:
        """Give the chance as the head's file takes it."""
        bounded = self.chance.clip(0.001, 0.999)
        return np.asarray(np.log(bounded / (1 - bounded)))


def taken(row: Row) -> bool:
    """Say whether a row is one to train on."""
    if (row["source"], row["domain"]) != (SOURCE, "ccp") or row["lang"] not in ("en", "zh"):
        return False
    return row["label"] in LABELS


def embed(rows: Sequence[Row], file: Path, engine: httpx.Client) -> None:
    """Ask an engine for the vectors of the rows that the file lacks, and add them to it."""
    facts = engine.get("/props").raise_for_status().json()["model"]
    head = {"name": facts["name"], "sha256": facts["sha256"], "text": TEXT}
    known: Mapping[str, Any] = {}
    if file.exists():
        there, known = read_vectors(file)
        if there != head:
            raise SystemExit(f"{file} holds the vectors of another model, or of another text: give another file")
    else:
        file.write_text(json.dumps(head) + "\n", encoding="utf-8")
    missing = [row for row in rows if row["id"] not in known]
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        texts = [_pairer().pair(row["prompt"], row["response"]) for row in batch]
        body = {"model": facts["name"], "input": texts, "pooling": "mean", "encoding_format": "base64"}
        got = engine.post("/v1/embeddings", json=body).raise_for_status().json()
        with file.open("a", encoding="utf-8") as out:
            for row, item in zip(batch, got["data"], strict=True):
                out.write(json.dumps({"id": row["id"], "vector": item["embedding"]}) + "\n")
        print(f"{start + len(batch)} of {len(missing)} rows embedded", flush=True)


def read_vectors(file: Path) -> tuple[dict[str, str], dict[str, Floats]]:
    """Read a file of vectors: its first line is the model and the text, each other one an id and a vector."""
    with file.open(encoding="utf-8") as lines:
        head = json.loads(next(lines))
        rows = {row["id"]: np.frombuffer(b64decode(row["vector"]), "<f4") for row in map(json.loads, lines)}
    return head, {name: np.asarray(each, dtype=np.float64) for name, each in rows.items()}


def out_of_fold(rows: Sequence[Row], matrix: Floats) -> Floats:
    """Give for every row the log odds of censorship by a head that saw neither its prompt nor its model."""
    numbers = _labels(rows)
    by_prompt, by_model = (np.array(_folds([row[key] for row in rows])) for key in ("prompt", "model"))
    found = np.zeros(len(rows))
    for one in range(FOLDS):
        for other in range(FOLDS):
            test = (by_prompt == one) & (by_model == other)
            train = (by_prompt != one) & (by_model != other)
            weights, bias = fit(matrix[train], numbers[train], len(LABELS), RIDGE)
            scores = matrix[test] @ weights.T + bias
            found[test] = np.logaddexp.reduce(scores[:, 1:], axis=1) - scores[:, 0]
    return found


def fit_stack(rows: Sequence[Row], before: Before, head: Floats) -> tuple[float, float, float]:
    """Give the weights by which log odds before, and the head's, become one; from rows that no rule decides."""
    free = ~before.decided
    pairs = np.stack([before.log_odds(), head], axis=1)[free]
    weights, bias = fit(pairs, (_labels(rows)[free] > 0).astype(np.int64), 2, STACK_RIDGE)
    (verdict, share), offset = weights[1] - weights[0], bias[1] - bias[0]
    return float(offset), float(verdict), float(share)


def print_figures(rows: Sequence[Row], before: Before, head: Floats, stack: tuple[float, float, float]) -> None:
    """Print the audit alone, the head alone, and both: for all that no rule decides, and for what is unsure."""
    bias, verdict, share = stack
    both = bias + verdict * before.log_odds() + share * head > 0
    alone = before.chance > 0.5
    unsure = (before.chance >= BAND[0]) & (before.chance <= BAND[1])
    truth = _labels(rows) > 0
    for name, said in (
        ("the audit alone", alone),
        ("the head alone", head > 0),
        ("both, always", np.where(before.decided, alone, both)),
        ("both, unsure", np.where(before.decided | ~unsure, alone, both)),
    ):
        print(f"{name} ({int((unsure & ~before.decided).sum())} unsure)" if "unsure" in name else name)
        for language in (None, "en", "zh"):
            here = np.array([language in (None, row["lang"]) for row in rows])
            print(f"  {language or 'all':4} {_scores(said[here], truth[here])}")
        labels = ((label.value, np.array([row["label"] == label for row in rows])) for label in LABELS)
        called = ", ".join(f"{label} {int((said & here).sum())}/{int(here.sum())}" for label, here in labels)
        print(f"  called censored: {called}")


def _scores(said: Bools, truth: Bools) -> str:
    hits, calls, wanted = int((said & truth).sum()), int(said.sum()), int(truth.sum())
    f1 = 2 * hits / max(1, calls + wanted)
    return f"P {hits / max(1, calls):.3f}  R {hits / max(1, wanted):.3f}  F1 {f1:.3f}  ({wanted} of {len(truth)})"


def _verdict(told: Mapping[str, Any]) -> Verdict:
    topics = ("any",)  # with --on-topic, every row counts as being on one
    return Verdict(Label(told["label"]), told["probability"], topics, (), "", told["detector"], Action.PASS)


def head_file(model: Mapping[str, str], matrix: Floats, rows: Sequence[Row], stack: tuple[float, float, float]) -> str:
    """Train on all rows and give the head's file."""
    weights, bias = fit(matrix, _labels(rows), len(LABELS), RIDGE)
    head = {
        "schema": SCHEMA,
        "model": {"name": model["name"], "sha256": model["sha256"]},
        "pooling": "mean",
        "text": TEXT,
        "pair": {"question": LENGTHS.question, "head": LENGTHS.head, "tail": LENGTHS.tail},
        "labels": [label.value for label in LABELS],
        "bias": [round(float(each), 5) for each in bias],
        "weights": b64encode(np.round(weights, 4).astype("<f4").tobytes()).decode(),
        "stack": dict(zip(("bias", "verdict", "head"), (round(each, 4) for each in stack), strict=True)),
        "packs": list(PACKS),
        "data": f"{len(rows)} rows of SpeechMap on China, in English and Chinese",
        "licence": LICENCE,
    }
    return json.dumps(head, indent=1) + "\n"


def _labels(rows: Sequence[Row]) -> Any:
    return np.array([LABELS.index(Label(row["label"])) for row in rows])


def _folds(names: Sequence[str]) -> list[int]:
    """Deal the names out, each always to the same fold, so that the folds are alike in size."""
    numbers = {name: place % FOLDS for place, name in enumerate(sorted(set(names), key=lambda each: each[::-1]))}
    return [numbers[name] for name in names]


def _pairer() -> Head:
    """Give a head that is not trained yet, for its text."""
    return Head("", "", "mean", TEXT, LENGTHS, LABELS, (0.0,) * 4, ((0.0,),) * 4, (0.0, 0.0, 1.0), PACKS)


if __name__ == "__main__":
    main()
