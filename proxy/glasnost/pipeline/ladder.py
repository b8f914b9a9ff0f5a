"""The ordered steps of a model: the plain question first, then its ladder of reroutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from glasnost.config import (
    Balance,
    LanguageRung,
    ModelRung,
    ModelSettings,
    ModelsRung,
    PrefillRung,
    RawRung,
    ReframeRung,
    Rung,
    targets_of,
)
from glasnost.pipeline.rungs.language import Language
from glasnost.pipeline.rungs.prefill import Prefill
from glasnost.pipeline.rungs.raw import Raw
from glasnost.pipeline.rungs.reframe import Reframe
from glasnost.pipeline.rungs.way import PLAIN, Way
from glasnost.record.exchange import FIRST
from glasnost.upstream.base import Upstream


@dataclass(frozen=True, slots=True)
class Helping:
    """The model that translates for a rung."""

    model: str
    upstreams: tuple[Upstream, ...]
    balance: Balance = "order"


@dataclass(frozen=True, slots=True)
class Step:
    """One way to ask: which rung it is, the model that answers, and the limits of its answer.

    `rung` is its kind; the second of a kind with the same model has `-2` at its end, and so on, so that rung and
    model together name the step. `upstream` is the one of the model's `upstreams` that is asked. `seconds` count until
    the client gets its first text.
    """

    rung: str
    model: str
    upstream: Upstream
    upstreams: tuple[Upstream, ...]
    way: Way = PLAIN
    helping: Helping | None = None
    max_tokens: int | None = None
    seconds: float | None = None
    balance: Balance = "order"

    @property
    def key(self) -> tuple[str, str]:
        """What names the step within its ladder."""
        return self.rung, self.model


def steps(name: str, models: Mapping[str, ModelSettings], upstreams: Mapping[str, Upstream]) -> tuple[Step, ...]:
    """Give the steps for the model `name`, the plain question first."""
    serving = {model: tuple(upstreams[each] for each in settings.serving) for model, settings in models.items()}
    first = Step(FIRST, name, serving[name][0], serving[name], balance=models[name].balance)
    return (first, *_rungs(name, models, serving))


def _rungs(
    name: str, models: Mapping[str, ModelSettings], serving: Mapping[str, tuple[Upstream, ...]]
) -> Iterator[Step]:
    seen: Counter[tuple[str, str]] = Counter()
    for rung in models[name].ladder:
        for target in targets_of(rung, name):
            seen[rung.rung, target] += 1
            count = seen[rung.rung, target]
            helper = _helper(rung, target)
            yield Step(
                rung.rung if count == 1 else f"{rung.rung}-{count}",
                target,
                serving[target][0],
                serving[target],
                _way(rung),
                Helping(helper, serving[helper], models[helper].balance) if helper else None,
                rung.max_tokens,
                rung.seconds,
                models[target].balance,
            )


def _helper(rung: Rung, target: str) -> str | None:
    return (rung.translator or target) if isinstance(rung, LanguageRung) else None


def _way(rung: Rung) -> Way:
    match rung:
        case ReframeRung():
            return Reframe(rung.prompt)
        case PrefillRung():
            return Prefill(rung.prompt, closed_think=rung.closed_think, fields=rung.fields)
        case LanguageRung():
            return Language(rung.prompt)
        case RawRung():
            return Raw(rung.prompt)
        case ModelRung() | ModelsRung():
            return PLAIN
