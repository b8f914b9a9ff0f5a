"""All upstreams of a configuration, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from glasnost.upstream.base import Upstream


class Registry:
    """Starts, asks and stops upstreams together."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = dict(upstreams)

    async def start(self) -> None:
        """Start what must run before the first request."""
        await asyncio.gather(*(upstream.start() for upstream in self._upstreams.values()))

    def waiting_for(self) -> Sequence[str]:
        """Name the upstreams that could not answer now."""
        return [name for name, upstream in self._upstreams.items() if not upstream.ready()]

    async def aclose(self) -> None:
        """Stop everything; one that fails to stop does not keep the others running."""
        results = await asyncio.gather(
            *(upstream.aclose() for upstream in self._upstreams.values()), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
