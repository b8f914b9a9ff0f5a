"""Embeddings: the model's upstreams are asked as for a chat; there is no text in them to judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glasnost.config import Balance
from glasnost.errors import InvalidRequest, UpstreamError, UpstreamUnavailable
from glasnost.pipeline.failover import Failover, upstreams_fault
from glasnost.pipeline.traced import traced
from glasnost.upstream.base import Api, Upstream
from glasnost.wire.embeddings import check_vectors


async def embed(
    model: str, upstreams: Sequence[Upstream], failover: Failover, body: Mapping[str, Any], balance: Balance = "order"
) -> dict[str, Any]:
    """Give the answer under the model's own name; an InvalidRequest says that none of its upstreams makes any."""
    able = [each for each in upstreams if isinstance(each, Api)]
    if not able:
        raise InvalidRequest(f"The model {model!r} makes no embeddings; ask another.", param="model")
    failed: dict[str, UpstreamError] = {}
    while (upstream := failover.choose(able, failed.keys(), balance)) is not None:
        assert isinstance(upstream, Api)  # noqa: S101  # no other was to be chosen
        failover.enter(upstream.name, able)
        try:
            asked = upstream.post("/embeddings", body)
            answer = await traced(asked, model, upstream.name, "embeddings", "embeddings")
            check_vectors(answer, upstream.name)
        except UpstreamError as error:
            if not upstreams_fault(error):
                raise
            failed[upstream.name] = error
            continue
        finally:
            failover.leave(upstream.name)
        return {**answer, "model": model}
    raise next(iter(failed.values()), UpstreamUnavailable(f"No upstream of {model!r} can be asked now.", retry_after=1))
