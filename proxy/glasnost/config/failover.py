"""Settings of failover: when a failing upstream is left alone, how it comes back, how many retries there may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from glasnost.config.fields import Count, Seconds, Settings

Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class FailoverSettings(Settings):
    """Failures in a row that open an upstream's circuit and for how long; retries as a share of a model's requests.

    The time doubles with every probe that fails, up to `max_open_seconds`. `min_retries` are allowed in ten seconds
    however few requests there are. What begins with `eject` and `slow_start_seconds` count for models with
    `balance: least_busy`: the share of failures of at least so many requests that ejects an upstream, which share of a
    model's upstreams may be left alone for that at once, and how long the share of one that is back grows.
    """

    failures: Count = 5
    open_seconds: Seconds = 10.0
    max_open_seconds: Seconds = 120.0
    retry_share: Ratio = 0.2
    min_retries: Annotated[int, Field(ge=0, le=1_000)] = 3
    eject_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.5
    eject_requests: Count = 20
    eject_most: Ratio = 0.5
    slow_start_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 30.0
