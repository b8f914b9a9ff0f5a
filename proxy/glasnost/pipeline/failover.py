"""Failover: which upstream of a model is asked, past those that fail; errors only, never what an answer says.

Rules kept here:
- a model's upstreams are asked in their order, or the least busy first, those whose circuit is open left out;
- where they are balanced, one that fails much more often than the others is ejected, but never too many at once;
- a connection error, 429 or 5xx goes to the next one while nothing has been released, within a budget of retries;
- 429 says that an upstream is busy: another is asked, and its circuit stays as it is;
- where every circuit is open, nothing is asked at all.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeGuard

from glasnost.config import Balance, FailoverSettings
from glasnost.errors import GlasnostError, RungFailed, UpstreamError, UpstreamRejected
from glasnost.pipeline.share import Share
from glasnost.record.exchange import Attempt
from glasnost.upstream.base import Upstream
from glasnost.upstream.circuit import Circuit, State
from glasnost.upstream.standing import Standing, least_busy, stands_out

MAX_RETRY_AFTER = 120
#: How long an upstream that answers 429 comes after the others, where it does not say.
BUSY_SECONDS = 1


class Failover:
    """The circuits of all upstreams and the retry budgets of all models, shared by all exchanges of a process."""

    def __init__(
        self,
        settings: FailoverSettings = FailoverSettings(),  # noqa: B008  # frozen
        upstreams: Iterable[str] | Mapping[str, float] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the upstreams that there are, with their weights where these differ."""
        self._settings = settings
        self._clock = clock
        self._circuits = {name: self._circuit() for name in upstreams}
        weights = upstreams if isinstance(upstreams, Mapping) else dict.fromkeys(upstreams, 1.0)
        self._standings = {name: Standing(weight, settings.slow_start_seconds) for name, weight in weights.items()}
        self._places = 0
        self._budgets: dict[str, Share] = {}
        #: Retries by (upstream that was to be asked, `sent` or `budget_exhausted`).
        self.retries: Counter[tuple[str, str]] = Counter()
        #: How often each upstream was ejected.
        self.ejections: Counter[str] = Counter()

    def states(self) -> Mapping[str, State]:
        """Give the state of every circuit, by the upstream's name; may be called from any thread."""
        now = self._clock()
        return {name: circuit.state(now) for name, circuit in tuple(self._circuits.items())}

    def asked(self, model: str) -> None:
        """Count a request for a model, of which a share may be retried."""
        self._budget(model).count(self._clock())

    def in_flight(self) -> Mapping[str, int]:
        """Give the requests that each upstream has to answer for this process; may be called from any thread."""
        return {name: standing.in_flight for name, standing in tuple(self._standings.items())}

    def choose(
        self,
        upstreams: Sequence[Upstream],
        failed: AbstractSet[str],
        balance: Balance = "order",
        kept: str | None = None,
    ) -> Upstream | None:
        """Give the upstream to ask: of those that may be asked and have not failed in this exchange.

        `kept` still holds the prompt: it is the first, or, where they are balanced, if it is not much busier.
        """
        now = self._clock()
        if balance == "least_busy":
            self._eject(upstreams, now)
        there = [each for each in upstreams if each.name not in failed and self._of(each.name).admits(now)]
        if balance == "order":
            return next((each for each in there if each.name == kept), there[0] if there else None)
        # One that may be probed is asked at once: nobody else would find out that it is back.
        probed = next((each for each in there if self._of(each.name).state(now) == "half_open"), None)
        chosen = least_busy(((each.name, self._standing(each.name)) for each in there), now, kept)
        return probed or next((each for each in there if each.name == chosen), None)

    def may_retry(self, model: str) -> bool:
        """Say whether the budget of a model has a retry left."""
        return self._budget(model).left(self._clock())

    def retrying(self, model: str, upstream: str) -> bool:
        """Take a retry out of the budget of a model; False where there is none."""
        allowed = self._budget(model).spend(self._clock())
        self.retries[upstream, "sent" if allowed else "budget_exhausted"] += 1
        return allowed

    def enter(self, upstream: str, among: Iterable[Upstream] = ()) -> None:
        """Hear that an upstream is asked, chosen among those of its model."""
        self._of(upstream).enter()
        now = self._clock()
        standings = [self._standing(each.name) for each in among]
        weights = sum(each.weight for each in standings)
        for each in standings:
            each.accrue(now, weights)
        self._places += 1
        self._standing(upstream).enter(self._places)

    def leave(self, upstream: str) -> None:
        """Hear that a request is over of which nothing is to be learned."""
        self._standing(upstream).leave()
        self._of(upstream).told_nothing()

    def note(self, attempt: Attempt) -> None:
        """Learn from an attempt how its upstream is."""
        circuit, standing = self._of(attempt.upstream), self._standing(attempt.upstream)
        error, now = attempt.error, self._clock()
        away = circuit.state(now) != "closed"
        standing.leave()
        if _busy(error):
            standing.said_busy(now + min(MAX_RETRY_AFTER, error.retry_after or BUSY_SECONDS))
        well = _tells(attempt)
        if well is None:
            circuit.told_nothing()
            return
        standing.recent.count(now, failed=not well)
        if not well:
            circuit.failed(now)
            return
        circuit.succeeded(now)
        if away and circuit.state(now) == "closed":
            standing.came_back(now)
            standing.recent.clear()

    def retry_after(self, upstreams: Iterable[Upstream]) -> int:
        """Give the whole seconds until one of these may be asked again, from 1 to 120."""
        now = self._clock()
        waits = [self._of(each.name).wait(now) for each in upstreams]
        return max(1, min(MAX_RETRY_AFTER, math.ceil(min(waits, default=1))))

    def _of(self, upstream: str) -> Circuit:
        return self._circuits.setdefault(upstream, self._circuit())

    def _standing(self, upstream: str) -> Standing:
        return self._standings.setdefault(upstream, Standing(slow_start=self._settings.slow_start_seconds))

    def _eject(self, upstreams: Sequence[Upstream], now: float) -> None:
        """Eject outliers, as long as not too many are left alone already."""
        kept, names = self._settings, [each.name for each in upstreams]
        sums = {name: self._standing(name).recent.sums(now) for name in names}
        for name in names:
            away = sum(self._of(each).state(now) != "closed" for each in names)
            if self._of(name).state(now) != "closed" or away + 1 > kept.eject_most * len(names):
                continue
            others = (each for other, each in sums.items() if other != name)
            if stands_out(sums[name], others, kept.eject_share, kept.eject_requests):
                self._of(name).eject(now)
                self._standing(name).recent.clear()
                self.ejections[name] += 1

    def _circuit(self) -> Circuit:
        kept = self._settings
        return Circuit(kept.failures, kept.open_seconds, kept.max_open_seconds)

    def _budget(self, model: str) -> Share:
        kept = self._settings
        return self._budgets.setdefault(model, Share(kept.retry_share, kept.min_retries))


def upstreams_fault(error: GlasnostError) -> bool:
    """Say whether another upstream may do better: not where the request itself was called wrong."""
    if isinstance(error, UpstreamRejected):
        return error.status == 429 or error.status >= 500
    return isinstance(error, UpstreamError) and not isinstance(error, RungFailed)


def _busy(error: GlasnostError | None) -> TypeGuard[UpstreamRejected]:
    return isinstance(error, UpstreamRejected) and error.status == 429


def _tells(attempt: Attempt) -> bool | None:
    """Say whether an attempt shows that its upstream is well; None where it shows nothing."""
    error = attempt.error
    if error is None:
        return None if attempt.outcome in ("cancelled", "outrun") else True
    if isinstance(error, RungFailed) or _busy(error) or not isinstance(error, UpstreamError):
        return None
    return not upstreams_fault(error)
