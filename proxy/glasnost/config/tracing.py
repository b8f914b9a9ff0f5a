"""Settings of traces: whether requests are traced, and where their spans go."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from glasnost.config.fields import Settings


class TracingSettings(Settings):
    """Traces by OpenTelemetry; without an `endpoint`, the variables OTEL_EXPORTER_OTLP_* say where spans go."""

    enabled: bool = False
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")] | None = None
