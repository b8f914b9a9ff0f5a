"""Failover: which upstream of a model is asked, past those that fail; errors only, never what an answer says.

Rules kept here:
- a model's upstreams are asked in their order, those whose circuit is open left out;
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

from glasnost.config import FailoverSettings
from glasnost.errors import GlasnostError, RungFailed, UpstreamError, UpstreamRejected
from glasnost.pipeline.share import Share
from glasnost.record.exchange import Attempt
from glasnost.upstream.base import Upstream
from glasnost.upstream.circuit import Circuit, State

MAX_RETRY_AFTER = 120


class Failover:
    """The circuits of all upstreams and the retry budgets of all models, shared by all exchanges of a process."""

    def __init__(
        self,
        settings: FailoverSettings = FailoverSettings(),  # noqa: B008  # frozen
        upstreams: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._circuits = {name: self._circuit() for name in upstreams}
        self._budgets: dict[str, Share] = {}
        #: Retries by (upstream that was to be asked, `sent` or `budget_exhausted`).
        self.retries: Counter[tuple[str, str]] = Counter()

    def states(self) -> Mapping[str, State]:
        """Give the state of every circuit, by the upstream's name; may be called from any thread."""
        now = self._clock()
        return {name: circuit.state(now) for name, circuit in tuple(self._circuits.items())}

    def asked(self, model: str) -> None:
        """Count a request for a model, of which a share may be retried."""
        self._budget(model).count(self._clock())

    def choose(self, upstreams: Sequence[Upstream], failed: AbstractSet[str]) -> Upstream | None:
        """Give the first upstream that may be asked and has not failed in this exchange."""
        now = self._clock()
        there = (each for each in upstreams if each.name not in failed)
        return next((each for each in there if self._of(each.name).admits(now)), None)

    def may_retry(self, model: str) -> bool:
        """Say whether the budget of a model has a retry left."""
        return self._budget(model).left(self._clock())

    def retrying(self, model: str, upstream: str) -> bool:
        """Take a retry out of the budget of a model; False where there is none."""
        allowed = self._budget(model).spend(self._clock())
        self.retries[upstream, "sent" if allowed else "budget_exhausted"] += 1
        return allowed

    def enter(self, upstream: str) -> None:
        """Hear that an upstream is asked."""
        self._of(upstream).enter()

    def note(self, attempt: Attempt) -> None:
        """Learn from an attempt how its upstream is."""
        circuit, error = self._of(attempt.upstream), attempt.error
        if error is None and attempt.outcome not in ("cancelled", "outrun"):
            circuit.succeeded()
        elif error is None or isinstance(error, RungFailed) or _busy(error):
            circuit.told_nothing()
        elif upstreams_fault(error):
            circuit.failed(self._clock())
        else:
            circuit.succeeded() if isinstance(error, UpstreamError) else circuit.told_nothing()

    def retry_after(self, upstreams: Iterable[Upstream]) -> int:
        """Give the whole seconds until one of these may be asked again, from 1 to 120."""
        now = self._clock()
        waits = [self._of(each.name).wait(now) for each in upstreams]
        return max(1, min(MAX_RETRY_AFTER, math.ceil(min(waits, default=1))))

    def _of(self, upstream: str) -> Circuit:
        return self._circuits.setdefault(upstream, self._circuit())

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


def _busy(error: GlasnostError) -> bool:
    return isinstance(error, UpstreamRejected) and error.status == 429
