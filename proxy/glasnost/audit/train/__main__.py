"""`python -m glasnost.audit.train ROWS.jsonl`: learn the classifier's weights and say how good they are on others."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glasnost.audit.train.examples import Example, examples
from glasnost.audit.train.fit import Trainer
from glasnost.audit.train.generate import ANSWERS
from glasnost.audit.train.verdicts import verdicts
from glasnost.policy.parse import parse_topic
from glasnost.policy.policy import build_policy

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHIPPED = Path(__file__).resolve().parents[1] / "classifier.npz"
_PACK = Path(__file__).resolve().parents[4] / "policies" / "prc"


def main() -> None:
    """Read, learn, write, and print figures of answers to other prompts by other models."""
    parser = argparse.ArgumentParser(prog="python -m glasnost.audit.train", description=__doc__)
    parser.add_argument("rows", type=Path, help="JSON lines with source, domain, lang, prompt, response, label, model")
    parser.add_argument("--pack", type=Path, default=_PACK, help="the folder of topics whose facts and formulas count")
    parser.add_argument("--out", type=Path, default=_SHIPPED)
    parser.add_argument("--verdicts", type=Path, help="where the verdicts on China answers go, each by other folds")
    arguments = parser.parse_args()
    policy = build_policy(parse_topic(path.read_text("utf-8"), path.name) for path in arguments.pack.glob("*.yaml"))
    with arguments.rows.open(encoding="utf-8") as lines:
        rows = list(map(json.loads, lines))
    with ANSWERS.open(encoding="utf-8") as lines:
        found = examples(policy, rows, map(json.loads, lines))
    trainer = Trainer(found)
    log_odds = trainer.apart()
    calibration = trainer.calibration(log_odds)
    chances = trainer.chances(log_odds, calibration)
    report(found, chances)
    if arguments.verdicts:
        said = list(verdicts(policy, rows, found, chances, trainer.kinds_apart()))
        _end_to_end(found, said)
        arguments.verdicts.write_text("".join(json.dumps(each) + "\n" for each in said), encoding="utf-8")
    weights = trainer.weights(calibration)
    with arguments.out.open("wb") as file:
        np.savez_compressed(file, **weights)
    digest = hashlib.sha256(arguments.out.read_bytes()).hexdigest()
    sys.stdout.write(f"{arguments.out}: {arguments.out.stat().st_size} bytes, SHA-256 {digest}\n")


def report(found: list[Example], chances: NDArray[np.float64]) -> None:
    """Print precision, recall and F1 at a half on China answers, by language."""
    sys.stdout.write(f"{len(found)} examples, judged by models of other prompts and other models\n")
    judged = zip(found, chances, strict=True)
    _by_language(
        "", [(each.language, (each.censored, bool(chance >= 0.5))) for each, chance in judged if each.measured]
    )


def _end_to_end(found: list[Example], said: list[dict[str, Any]]) -> None:
    truth = {each.id: (each.language, each.censored) for each in found if each.measured}
    spoken = [(*truth[each["id"]], each["both_keys"]) for each in said]
    _by_language("both keys, ", [(language, (censored, called)) for language, censored, called in spoken])


def _by_language(what: str, judged: list[tuple[str, tuple[bool, bool]]]) -> None:
    for language in ("all", *sorted({language for language, _ in judged})):
        pairs = [pair for spoken, pair in judged if language in ("all", spoken)]
        right, said, true = (sum(map(pick, pairs)) for pick in (all, _said, _true))
        sys.stdout.write(
            f"  {what}{language:4} P {right / max(1, said):.3f}  R {right / max(1, true):.3f}"
            f"  F1 {2 * right / max(1, said + true):.3f}  ({true} of {len(pairs)})\n"
        )


def _true(pair: tuple[bool, bool]) -> bool:
    return pair[0]


def _said(pair: tuple[bool, bool]) -> bool:
    return pair[1]


if __name__ == "__main__":
    main()
