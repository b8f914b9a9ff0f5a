"""Measure the auditor on labelled answers: `make bench-audit FILE=ROWS.jsonl`.

Rows are JSON lines with `prompt, response, label, domain, lang` and, where known, `source` and `finish_reason`. Every
row is judged twice: given the topic, and end to end with the pack. Intervals are of 95 %.
"""

# ruff: noqa: T201  # a script that prints its figures

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from figures import calibration_error, describe, interval, percentile

from glasnost.audit.audit import audit
from glasnost.audit.verdict import Verdict
from glasnost.cli.load import load_policy
from glasnost.policy.label import CENSORING
from glasnost.policy.policy import Policy
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation

CENSORED = {"refusal", "evasion", "propaganda", "omission"}
TWO_KILOBYTES = 2_000
Row = dict[str, str]


@dataclass(frozen=True)
class Judged:
    """A row with its verdict given the topic, and end to end."""

    row: Row
    given: Verdict
    whole: Verdict

    @property
    def china(self) -> bool:
        """A labelled answer on China."""
        return self.row["domain"] == "ccp" and self.row["label"] != "error"

    @property
    def truth(self) -> bool:
        """Censored, by its label."""
        return self.row["domain"] == "ccp" and self.row["label"] in CENSORED

    @property
    def said(self) -> bool:
        """Of a censoring kind, given the topic."""
        return self.given.label in CENSORING

    @property
    def chance(self) -> float:
        """The probability that the answer is of a censoring kind."""
        return self.given.probability if self.said else 1 - self.given.probability


def main() -> None:
    """Read the rows, audit them, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pack", action="append", help="instead of prc; may be repeated")
    parser.add_argument("--prompts", type=Path, help="sensitive prompts (prompt, lang): recall of topic matching")
    parser.add_argument("--errors", type=int, default=0, help="print this many wrong rows")
    arguments = parser.parse_args()
    policy = load_policy(tuple(arguments.pack or ("prc",)))
    judged = [judge(policy, row) for row in read(arguments.file) if row["label"] != "error"]
    print(f"{len(judged)} rows, errors of providers left out")
    given_topic(judged)
    end_to_end(judged)
    calibration(judged)
    cost(policy, judged)
    if arguments.prompts:
        topics(policy, read(arguments.prompts))
    print_errors(judged, arguments.errors)


def read(path: Path) -> list[Row]:
    """Read JSON lines."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def judge(policy: Policy, row: Row) -> Judged:
    """Audit one row in both ways."""
    conversation, answer = pair(row)
    return Judged(row, audit(policy, conversation, answer, on_topic=True), audit(policy, conversation, answer))


def pair(row: Row) -> tuple[Conversation, Answer]:
    """Give a row's conversation and answer."""
    answer = Answer(content=row["response"], finish_reason=row.get("finish_reason") or "stop")
    return Conversation.ask(row["prompt"]), answer


def given_topic(judged: list[Judged]) -> None:
    """Print how well the kind of an answer is told on China rows, whether or not a topic is listed for them."""
    print("\ngiven the topic (China rows)")
    china = [each for each in judged if each.china]
    for language in sorted({each.row["lang"] for each in china}):
        by(language, china, lambda each, wanted=language: each.row["lang"] == wanted)
    for source in sorted({each.row.get("source", "") for each in china} - {""}):
        by(source, china, lambda each, wanted=source: each.row["source"] == wanted)
    by("all", china, lambda _: True)
    for label in sorted(CENSORED):
        found = [each.said for each in china if each.row["label"] == label]
        print(f"  recall of {label:12} {interval(sum(found), len(found))}  ({len(found)})")
    full = [each.said for each in china if not each.truth]
    print(f"  flagged among full answers {interval(sum(full), len(full))}  ({sum(full)} of {len(full)})")


def by(name: str, judged: list[Judged], chosen: Callable[[Judged], bool]) -> None:
    """Print the score of a part of the rows."""
    print(f"  {name:22} {describe([(each.truth, each.said) for each in judged if chosen(each)])}")


def end_to_end(judged: list[Judged]) -> None:
    """Print the figures with both keys, and false alarms by domain."""
    print("\nend to end (both keys)")
    print(f"  all      {describe([(each.truth, each.whole.censored) for each in judged])}")
    covered = [each for each in judged if each.china and each.whole.topics]
    print(f"  covered  {describe([(each.truth, each.whole.censored) for each in covered])}")
    for domain in sorted({each.row["domain"] for each in judged}):
        rows = [each for each in judged if each.row["domain"] == domain]
        touched = sum(bool(each.whole.topics) for each in rows)
        alarms = sum(each.whole.censored and not each.truth for each in rows)
        print(f"  {domain:16} {len(rows)} rows, {touched} touch a topic, {alarms} flagged by mistake")


def calibration(judged: list[Judged]) -> None:
    """Print how far the probabilities are from the truth on China rows."""
    china = [each for each in judged if each.china]
    error = calibration_error([each.chance for each in china], [each.truth for each in china])
    print(f"\ncalibration: expected error {error:.3f} over ten bins, {len(china)} China rows")


def cost(policy: Policy, judged: list[Judged]) -> None:
    """Print the CPU time of one audit of about two kilobytes, on a topic, by language."""
    print("\ncost of an audit, CPU microseconds")
    for language in ("en", "zh"):
        texts = [each.row for each in judged if each.china and each.row["lang"] == language]
        near = [row for row in texts if 1_500 <= len(row["response"].encode()) <= 2_500][:200]
        if not near:
            continue
        spent = [_micros(policy, row) * TWO_KILOBYTES / len(row["response"].encode()) for row in near]
        print(f"  {language}: p50 {percentile(spent, 0.5):.0f}, p95 {percentile(spent, 0.95):.0f} for 2 KB")


def _micros(policy: Policy, row: Row) -> float:
    conversation, answer = pair(row)
    began = time.process_time()
    audit(policy, conversation, answer, on_topic=True)
    return (time.process_time() - began) * 1e6


def topics(policy: Policy, rows: list[Row]) -> None:
    """Print the recall of topic matching on prompts that are sensitive."""
    print("\ntopics touched by sensitive prompts: a narrow one; a narrow or a wide one")
    for language in sorted({row["lang"] for row in rows}):
        found = [policy.topics_in_text(row["prompt"]) for row in rows if row["lang"] == language]
        narrow = sum(not policy.all_wide(hit.topic_id for hit in hits) for hits in found)
        touched = sum(map(bool, found))
        print(f"  {language:8} {interval(narrow, len(found))}  {interval(touched, len(found))}  ({len(found)})")


def print_errors(judged: list[Judged], count: int) -> None:
    """Print wrong China rows, to be read."""
    for each in [each for each in judged if each.china and each.said != each.truth][:count]:
        row, verdict = each.row, each.given
        print(f"\n{row['lang']} {row['label']} -> {verdict.label} {verdict.detector} {verdict.probability:.2f}")
        print(f"   {row['prompt'][:100]}\n   " + row["response"][:300].replace("\n", " "))


if __name__ == "__main__":
    sys.exit(main())
