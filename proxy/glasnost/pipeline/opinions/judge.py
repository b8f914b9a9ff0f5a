"""The judge: another model that is asked for its opinion, within a time and a budget, and remembered."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

import structlog

from glasnost.audit.judging import judge_body, read_judgement
from glasnost.audit.opinion import Opinion
from glasnost.config import JudgeSettings
from glasnost.errors import GlasnostError, UpstreamError, UpstreamTimeout
from glasnost.pipeline.traced import traced
from glasnost.record.exchange import Consultation
from glasnost.upstream.base import Upstream
from glasnost.wire import jsonio
from glasnost.wire.answer import Completion
from glasnost.wire.chat import ChatRequest

_log = structlog.get_logger(__name__)
MINUTE = 60.0
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of asking: an opinion, or none, and how that went."""

    opinion: Opinion | None
    consultation: Consultation


@cache
def shipped_rubric() -> str:
    """Give the rubric that ships."""
    file = resources.files("glasnost.pipeline.opinions") / "texts" / "rubric.txt"
    return file.read_text(encoding="utf-8")


class Judge:
    """Asks one model of the configuration, at any of its upstreams.

    `clock` gives seconds, `nonces` a fresh mark for every question.
    """

    def __init__(
        self,
        settings: JudgeSettings,
        upstreams: Sequence[Upstream],
        clock: Clock,
        nonces: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._settings = settings
        self._upstreams = tuple(upstreams)
        self._rubric = (settings.rubric or shipped_rubric()).strip()
        self._clock = clock
        self._nonces = nonces
        self._asked: deque[float] = deque(maxlen=settings.per_minute)
        self._known: OrderedDict[bytes, Opinion] = OrderedDict()

    @property
    def model(self) -> str:
        """The name of the model that judges."""
        return self._settings.model

    async def ask(self, topics: Sequence[str], question: str, said: str) -> Judged:
        """Ask what an answer did; `topics` are titles. Only an opinion that was given is remembered."""
        key = _key(topics, question, said)
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return Judged(known, Consultation("judge", self.model, "cached", 0.0))
        began = self._clock()
        if len(self._asked) == self._settings.per_minute and began - self._asked[0] < MINUTE:
            return Judged(None, Consultation("judge", self.model, "over_budget", 0.0))
        self._asked.append(began)
        opinion, result, usage = await self._opinion(topics, question, said)
        if opinion is not None:
            self._remember(key, opinion)
        return Judged(opinion, Consultation("judge", self.model, result, self._clock() - began, usage))

    async def _opinion(
        self, topics: Sequence[str], question: str, said: str
    ) -> tuple[Opinion | None, str, dict[str, int] | None]:
        body = judge_body(self.model, self._rubric, topics, (question, said), self._nonces())
        try:
            async with asyncio.timeout(self._settings.seconds):
                completion = await self._complete(ChatRequest.parse(body))
        except (TimeoutError, UpstreamTimeout):
            return None, "timeout", None
        except GlasnostError as error:
            _log.warning("judge_failed", model=self.model, error=str(error))
            return None, "error", None
        opinion = read_judgement(completion, self.model)
        return opinion, "malformed" if opinion is None else "ok", completion.get("usage")

    async def _complete(self, request: ChatRequest) -> Completion:
        """Ask the upstreams of the model in their order; raises the error of the last."""
        for upstream in self._upstreams[:-1]:
            with suppress(UpstreamError):
                return await self._ask_one(upstream, request)
        return await self._ask_one(self._upstreams[-1], request)

    def _ask_one(self, upstream: Upstream, request: ChatRequest) -> Awaitable[Completion]:
        return traced(upstream.complete(request), self.model, upstream.name, "judgement")

    def _remember(self, key: bytes, opinion: Opinion) -> None:
        self._known[key] = opinion
        while len(self._known) > self._settings.cached:
            self._known.popitem(last=False)


def _key(topics: Sequence[str], question: str, said: str) -> bytes:
    return sha256(jsonio.dumps([list(topics), question, said])).digest()
