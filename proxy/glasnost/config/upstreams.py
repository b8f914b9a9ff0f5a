"""Settings of what answers: engines of our own, servers, providers, scripts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from glasnost.config.fields import AdapterName, Automatic, Count, KvType, Seconds, Settings


class TimeoutSettings(Settings):
    """How long an upstream may take: to connect, to the first token, between tokens, and in all."""

    connect: Seconds = 5.0
    first_token: Seconds = 120.0
    idle: Seconds = 60.0
    total: Seconds = 600.0


class AdapterFile(Settings):
    """A LoRA adapter or a control vector: a GGUF file, and how much of it is applied."""

    path: Annotated[str, Field(min_length=1)]
    scale: Annotated[float, Field(ge=-16, le=16)] = 1.0


#: A path alone is one of scale 1.
Adapter = Annotated[AdapterFile, BeforeValidator(lambda value: {"path": value} if isinstance(value, str) else value)]


class WeighedUpstream(Settings):
    """What every kind of upstream has: how many requests it can take beside others of its model."""

    weight: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)] = 1.0


class LocalUpstream(WeighedUpstream):
    """A GGUF served by an engine process of our own."""

    kind: Literal["local"]
    gguf: Annotated[str, Field(min_length=1)]
    slots: Annotated[Annotated[int, Field(ge=1, le=256)] | None, Automatic] = 4
    ctx: Annotated[Annotated[int, Field(ge=256)] | None, Automatic] = 8_192
    queue: Annotated[int, Field(ge=0, le=100_000)] = 64
    batch: Annotated[int, Field(ge=16, le=65_536)] = 512
    threads: Annotated[int, Field(ge=1, le=1_024)] | Literal["auto"] = "auto"
    gpu_layers: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    tensor_split: tuple[Annotated[float, Field(ge=0)], ...] = Field(default=(), strict=False)
    kv_type: KvType = "f16"
    flash_attention: bool | Literal["auto"] = "auto"
    lora: dict[AdapterName, Adapter] = Field(default_factory=dict)
    control_vectors: tuple[Adapter, ...] = Field(default=(), strict=False)
    control_vector_layers: tuple[Count, Count] | None = Field(default=None, strict=False)
    pinned: bool = False
    idle_unload_seconds: Seconds | None = None
    start_seconds: Seconds = 300.0
    timeouts: TimeoutSettings = TimeoutSettings()


class EnginesSettings(Settings):
    """What all local engines may take together: bytes of RAM, None for what is free when the gateway starts."""

    memory: Annotated[Annotated[int, Field(ge=1 << 20)] | None, Automatic] = None


class HttpUpstream(WeighedUpstream):
    """Any server that speaks the OpenAI API, over TCP or a Unix socket."""

    kind: Literal["http"]
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    uds: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    max_connections: Count = 256
    max_response_bytes: Count = 16 << 20
    timeouts: TimeoutSettings = TimeoutSettings()


class LitellmUpstream(WeighedUpstream):
    """A provider that LiteLLM knows, for example `anthropic/claude-sonnet-4-5`."""

    kind: Literal["litellm"]
    model: Annotated[str, Field(min_length=1)]
    base_url: str | None = None
    api_key_env: str | None = None
    timeouts: TimeoutSettings = TimeoutSettings()


class ScriptedUpstream(WeighedUpstream):
    """Answers, delays and faults from a YAML file, for dry runs and tests."""

    kind: Literal["scripted"]
    script: Annotated[str, Field(min_length=1)]
    timeouts: TimeoutSettings = TimeoutSettings()


UpstreamSettings = Annotated[
    LocalUpstream | HttpUpstream | LitellmUpstream | ScriptedUpstream, Field(discriminator="kind")
]
