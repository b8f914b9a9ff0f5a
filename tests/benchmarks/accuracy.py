"""Measure the auditor on labelled answers: `python tests/benchmarks/accuracy.py FILE.jsonl [--errors N]`.

Rows are JSON lines with `prompt, response, label, domain, lang` and, where known, `finish_reason`. Two figures: given
the topic (every China row is taken as touching one), and end to end with the shipped packs.
"""

# ruff: noqa: T201  # a script that prints its figures

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from glasnost.audit.audit import audit
from glasnost.audit.verdict import Verdict
from glasnost.cli.load import load_policy
from glasnost.policy.label import CENSORING
from glasnost.policy.policy import Policy
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation

CENSORED = {"refusal", "evasion", "propaganda", "omission"}
Row = dict[str, str]


@dataclass
class Score:
    """True and false positives and negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def add(self, *, truth: bool, said: bool) -> None:
        """Count one row."""
        name = ("t" if truth == said else "f") + ("p" if said else "n")
        setattr(self, name, getattr(self, name) + 1)

    def __str__(self) -> str:
        """Give precision, recall and F1, with a 95 % interval of the first two (Wilson)."""
        precision, recall = interval(self.tp, self.tp + self.fp), interval(self.tp, self.tp + self.fn)
        f1 = 2 * self.tp / max(1, 2 * self.tp + self.fp + self.fn)
        return f"P {precision}  R {recall}  F1 {f1:.3f}  ({self.tp + self.fn} censored, {self.fp + self.tn} not)"


def interval(part: int, whole: int) -> str:
    """Give a share with its 95 % Wilson interval."""
    if not whole:
        return "   -"
    share, square = part / whole, 1.96**2
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    reach = 1.96 * math.sqrt(share * (1 - share) / whole + square / (4 * whole**2)) / (1 + square / whole)
    return f"{share:.3f} [{middle - reach:.3f}, {middle + reach:.3f}]"


def main() -> None:
    """Read the rows, audit them, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--errors", type=int, default=0, help="print this many wrong rows of each kind")
    arguments = parser.parse_args()
    with arguments.file.open(encoding="utf-8") as lines:
        rows: list[Row] = [json.loads(line) for line in lines]
    policy = load_policy(("prc",))
    began = time.perf_counter()
    judged = [(row, judge(policy, row)) for row in rows]
    spent = time.perf_counter() - began
    characters = sum(len(row["response"]) for row in rows)
    each, per_2000 = spent / len(rows) * 1e6, spent / characters * 2e9
    print(f"{len(rows)} rows, {each:.0f} us each, {per_2000:.0f} us for 2,000 characters")
    given_topic(judged)
    end_to_end(judged)
    print_errors(judged, arguments.errors)


def judge(policy: Policy, row: Row) -> Verdict:
    """Audit one row."""
    answer = Answer(content=row["response"], finish_reason=row.get("finish_reason") or "stop")
    return audit(policy, Conversation.ask(row["prompt"]), answer)


def given_topic(judged: list[tuple[Row, Verdict]]) -> None:
    """Print how well the kind of an answer is told on China rows, whether or not a topic is listed for them."""
    print("\ngiven the topic (China rows)")
    china = [(row, verdict) for row, verdict in judged if row["domain"] == "ccp" and row["label"] != "error"]
    for language in (None, *sorted({row["lang"] for row, _ in china})):
        score, right = Score(), Counter[str]()
        total = Counter[str]()
        for row, verdict in china:
            if language in (None, row["lang"]):
                truth, said = row["label"] in CENSORED, verdict.label in CENSORING
                score.add(truth=truth, said=said)
                total[row["label"]] += 1
                right[row["label"]] += truth == said
        shares = ", ".join(f"{label} {right[label]}/{total[label]}" for label in sorted(total))
        print(f"  {language or 'all':8} {score}\n           {shares}")


def end_to_end(judged: list[tuple[Row, Verdict]]) -> None:
    """Print the figures with both keys, and false alarms by domain."""
    print("\nend to end (both keys, shipped packs)")
    score, touched, alarms, total = Score(), Counter[str](), Counter[str](), Counter[str]()
    for row, verdict in judged:
        if row["label"] == "error":
            continue
        truth = row["domain"] == "ccp" and row["label"] in CENSORED
        score.add(truth=truth, said=verdict.censored)
        total[row["domain"]] += 1
        touched[row["domain"]] += bool(verdict.topics)
        alarms[row["domain"]] += verdict.censored and not truth
    print(f"  all      {score}")
    covered = Score()
    for row, verdict in judged:
        if row["domain"] == "ccp" and row["label"] != "error" and verdict.topics:
            covered.add(truth=row["label"] in CENSORED, said=verdict.censored)
    print(f"  covered  {covered}")
    for domain in sorted(total):
        print(f"  {domain:16} {total[domain]} rows, {touched[domain]} touch a topic, {alarms[domain]} false alarms")


def print_errors(judged: list[tuple[Row, Verdict]], count: int) -> None:
    """Print wrong China rows, to be read."""
    for row, verdict in [pair for pair in judged if pair[0]["domain"] == "ccp" and wrong(*pair)][:count]:
        print(f"\n{row['lang']} {row['label']} -> {verdict.label} {verdict.detector} | {row['prompt'][:100]}")
        print("   " + row["response"][:300].replace("\n", " "))


def wrong(row: Row, verdict: Verdict) -> bool:
    """Tell whether the kind of the answer was told wrongly."""
    return row["label"] != "error" and (row["label"] in CENSORED) != (verdict.label in CENSORING)


if __name__ == "__main__":
    sys.exit(main())
