"""The semantic tier: asks an engine for the vectors of question and answer, and reads them with a linear head."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal

import structlog

from glasnost.audit.head import Head, Reading
from glasnost.config import SemanticSettings
from glasnost.errors import GlasnostError, UpstreamError, UpstreamTimeout
from glasnost.pipeline.traced import traced
from glasnost.record.exchange import Consultation
from glasnost.upstream.base import Api

_log = structlog.get_logger(__name__)
Clock = Callable[[], float]


class SemanticTier:
    """Reads answers by the vectors of one upstream; `clock` gives seconds.

    What the upstream serves is asked once, since a head is of use for one file alone: with any other the tier stays
    off, which is logged and counted as `other_model`.
    """

    def __init__(self, settings: SemanticSettings, upstream: Api, head: Head, clock: Clock) -> None:
        self._settings = settings
        self._upstream = upstream
        self._head = head
        self._clock = clock
        self._state: Literal["not_known", "fits", "other_model"] = "not_known"
        self._gpu = False
        self._name = head.model

    @property
    def head(self) -> Head:
        """The head that reads."""
        return self._head

    @property
    def always(self) -> bool:
        """Whether every answer on a topic is read, not only what is unsure."""
        return self._settings.when == "always" or (self._settings.when == "auto" and self._gpu)

    async def read(self, pairs: Sequence[tuple[str, str]]) -> tuple[list[Reading] | None, Consultation]:
        """Read pairs of question and answer; None, with the reason, where that fails or takes too long."""
        began = self._clock()
        try:
            async with asyncio.timeout(self._settings.seconds):
                readings, result = await self._read(pairs)
        except (TimeoutError, UpstreamTimeout):
            readings, result = None, "timeout"
        except GlasnostError as error:
            _log.warning("semantic_tier_failed", upstream=self._settings.upstream, error=str(error))
            readings, result = None, "error"
        return readings, Consultation("semantic", self._head.model, result, self._clock() - began)

    async def _read(self, pairs: Sequence[tuple[str, str]]) -> tuple[list[Reading] | None, str]:
        if self._state == "not_known":
            await self._learn()
        if self._state != "fits":
            return None, self._state
        texts = [self._head.pair(question, said) for question, said in pairs]
        body = {"model": self._name, "input": texts, "pooling": self._head.pooling}
        asked = self._upstream.post("/embeddings", body)
        answer = await traced(asked, self._name, self._settings.upstream, "judgement", "embeddings")
        readings = [self._head.read(vector) for vector in _vectors(answer, len(pairs), self._head.width)]
        return readings, "hit" if any(reading.log_odds > 0 for reading in readings) else "miss"

    async def _learn(self) -> None:
        """Ask what the upstream serves; an engine tells its file's SHA-256 once it has read it."""
        facts = await self._upstream.get("/props", seconds=self._settings.seconds)
        model = facts.get("model") if isinstance(facts, dict) else None
        if not isinstance(model, dict) or (sha256 := model.get("sha256")) is None:
            return
        self._name = str(model.get("name") or self._name)
        build = facts.get("build")
        self._gpu = isinstance(build, dict) and bool(build.get("gpu_offload")) and facts.get("gpu_layers") != 0
        self._state = "fits" if sha256 == self._head.sha256 else "other_model"
        if self._state == "other_model":
            _log.error(
                "semantic_tier_off",
                upstream=self._settings.upstream,
                serves=sha256,
                head_is_for=f"{self._head.model}, {self._head.sha256}",
                next_step="set audit.semantic.head to a head trained for this file, or serve the other",
            )


def _vectors(answer: dict[str, Any], count: int, width: int) -> list[list[float]]:
    data = answer.get("data")
    vectors = [item.get("embedding") for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    if len(vectors) != count or not all(_is_vector(vector, width) for vector in vectors):
        raise UpstreamError("The upstream of the semantic tier sent something else than the vectors asked for.")
    return vectors  # type: ignore[return-value] # each was checked


def _is_vector(value: Any, width: int) -> bool:
    return isinstance(value, list) and len(value) == width and all(isinstance(each, float | int) for each in value)
