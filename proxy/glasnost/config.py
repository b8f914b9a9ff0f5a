"""The configuration as frozen values: text in, `Config` or every problem with its YAML path out; reads no file."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from glasnost import document
from glasnost.errors import ConfigError, Problem

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
AdapterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
KeyHash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
KvType = Literal["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
#: `auto` is None: the planner chooses.
Automatic = BeforeValidator(lambda value: None if value == "auto" else value)
StreamMode = Literal["observe", "window", "hold", "full"]


class _Settings(BaseModel):
    """Frozen, and a field that is not known is a mistake worth telling."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ServerSettings(_Settings):
    """Where the gateway listens, who may call it, and how much one request may weigh."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    keys: tuple[KeyHash, ...] = Field(default=(), strict=False)
    insecure_no_auth: bool = False
    allowed_hosts: tuple[str, ...] = Field(default=(), strict=False)
    max_body_bytes: Count = 10 << 20
    body_seconds: Seconds = 30.0
    max_in_flight: Count = 512
    drain_seconds: Seconds = 30.0


class AuditSettings(_Settings):
    """Which policy packs judge: shipped ones by name, or folders by path."""

    packs: tuple[str, ...] = Field(default=("prc",), strict=False, min_length=1)


class StreamSettings(_Settings):
    """How much of an on-topic stream is held, and for how long; sizes are characters of one choice."""

    mode: StreamMode = "hold"
    hold_chars: Count = 4_000
    hold_seconds: Seconds = 30.0
    keep_alive_seconds: Seconds = 5.0
    max_held_chars: Count = 1_000_000


class RerouteSettings(_Settings):
    """What a ladder may cost in all: attempts after the first, and seconds from the first verdict on."""

    max_attempts: Count = 4
    seconds: Seconds = 120.0


class TimeoutSettings(_Settings):
    """How long an upstream may take: to connect, to the first token, between tokens, and in all."""

    connect: Seconds = 5.0
    first_token: Seconds = 120.0
    idle: Seconds = 60.0
    total: Seconds = 600.0


class AdapterFile(_Settings):
    """A LoRA adapter or a control vector: a GGUF file, and how much of it is applied."""

    path: Annotated[str, Field(min_length=1)]
    scale: Annotated[float, Field(ge=-16, le=16)] = 1.0


#: A path alone is one of scale 1.
Adapter = Annotated[AdapterFile, BeforeValidator(lambda value: {"path": value} if isinstance(value, str) else value)]


class LocalUpstream(_Settings):
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


class EnginesSettings(_Settings):
    """What all local engines may take together: bytes of RAM, None for what is free when the gateway starts."""

    memory: Annotated[Annotated[int, Field(ge=1 << 20)] | None, Automatic] = None


class HttpUpstream(_Settings):
    """Any server that speaks the OpenAI API, over TCP or a Unix socket."""

    kind: Literal["http"]
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    uds: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    max_connections: Count = 256
    max_response_bytes: Count = 16 << 20
    timeouts: TimeoutSettings = TimeoutSettings()


class LitellmUpstream(_Settings):
    """A provider that LiteLLM knows, for example `anthropic/claude-sonnet-4-5`."""

    kind: Literal["litellm"]
    model: Annotated[str, Field(min_length=1)]
    base_url: str | None = None
    api_key_env: str | None = None
    timeouts: TimeoutSettings = TimeoutSettings()


class ScriptedUpstream(_Settings):
    """Answers, delays and faults from a YAML file, for dry runs and tests."""

    kind: Literal["scripted"]
    script: Annotated[str, Field(min_length=1)]
    timeouts: TimeoutSettings = TimeoutSettings()


UpstreamSettings = Annotated[
    LocalUpstream | HttpUpstream | LitellmUpstream | ScriptedUpstream, Field(discriminator="kind")
]


class ReframeRung(_Settings):
    """Ask the same model again, with a system message that asks for documented facts."""

    rung: Literal["reframe"]
    system: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None


class ModelRung(_Settings):
    """Ask another model of this configuration."""

    rung: Literal["model"]
    model: Name


Rung = Annotated[ReframeRung | ModelRung, Field(discriminator="rung")]


class ModelSettings(_Settings):
    """A name that clients ask for: the upstream behind it, and its ladder."""

    upstream: Name
    ladder: tuple[Rung, ...] = Field(default=(), strict=False, max_length=16)
    mode: StreamMode | None = None


class Config(_Settings):
    """Everything that `glasnost serve` needs."""

    server: ServerSettings = ServerSettings()
    audit: AuditSettings = AuditSettings()
    stream: StreamSettings = StreamSettings()
    reroute: RerouteSettings = RerouteSettings()
    engines: EnginesSettings = EnginesSettings()
    upstreams: dict[Name, UpstreamSettings] = Field(min_length=1)
    models: dict[Name, ModelSettings] = Field(min_length=1)


_CONFIG = TypeAdapter(Config)


def parse_config(text: str, source: str, *, host: str | None = None, port: int | None = None) -> Config:
    """Read a configuration; `host` and `port` replace what it says. Raises ConfigError with every problem."""
    parsed = document.parse(text)
    if parsed.problems:
        raise ConfigError(source, list(parsed.problems))
    try:
        config = _CONFIG.validate_python(_with_address(parsed.value, host, port))
    except ValidationError as error:
        raise ConfigError(source, problems_of(error, parsed)) from None
    problems = [Problem(path, message, parsed.line(path)) for path, message in _cross_check(config)]
    if problems:
        raise ConfigError(source, problems)
    return config


def problems_of(error: ValidationError, parsed: document.Document) -> list[Problem]:
    """Give what is wrong with a document by its own paths and lines, without repeating its values."""
    return [_problem(detail, parsed) for detail in error.errors(include_url=False, include_input=False)]


def is_loopback(host: str) -> bool:
    """Say whether a server on `host` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _with_address(value: Any, host: str | None, port: int | None) -> Any:
    address = {name: given for name, given in (("host", host), ("port", port)) if given is not None}
    if not address or not isinstance(value, dict) or not isinstance(value.get("server", {}), dict):
        return value
    return {**value, "server": {**value.get("server", {}), **address}}


def _problem(detail: Any, parsed: document.Document) -> Problem:
    path = ""
    for depth, part in enumerate(detail["loc"], start=1):
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        inner = f"{path}.{part}" if path else str(part)
        # pydantic names the chosen member of a union in the location; the document has no such key.
        if inner in parsed.lines or depth == len(detail["loc"]):
            path = inner
    words = {
        "missing": "is required",
        "extra_forbidden": "is not a known setting",
        "model_type": "must be a mapping",
        "union_tag_not_found": f"needs {detail.get('ctx', {}).get('discriminator', 'a kind')}",
    }
    return Problem(path, words.get(detail["type"], detail["msg"].removeprefix("Value error, ")), parsed.line(path))


def _cross_check(config: Config) -> Iterator[tuple[str, str]]:
    for name, model in config.models.items():
        if model.upstream not in config.upstreams:
            known = ", ".join(config.upstreams)
            yield f"models.{name}.upstream", f"there is no upstream {model.upstream!r}; there are: {known}"
        for index, rung in enumerate(model.ladder):
            if isinstance(rung, ModelRung):
                yield from _check_rung(config, name, rung, f"models.{name}.ladder[{index}].model")
    server = config.server
    if not is_loopback(server.host) and not server.keys and not server.insecure_no_auth:
        exposed = f"{server.host} can be reached from other machines, and no key is set"
        yield "server.host", f"{exposed}: add one to server.keys (`glasnost key` makes it), or listen on 127.0.0.1"


def _check_rung(config: Config, name: str, rung: ModelRung, path: str) -> Iterator[tuple[str, str]]:
    if rung.model == name:
        yield path, "a model cannot be its own alternative"
    elif rung.model not in config.models:
        yield path, f"there is no model {rung.model!r}; there are: {', '.join(config.models)}"
