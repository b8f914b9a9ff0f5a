"""Settings of API keys: what each may do, of which models, judged by which packs, and how much of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from glasnost.config.fields import Name, Settings, StreamMode

#: A key as its SHA-256, or, where the server has a pepper, as its HMAC-SHA-256 under that.
KeyHash = Annotated[str, Field(pattern=r"^(hmac-)?sha256:[0-9a-f]{64}$")]
#: `chat` asks models, `audit:read` reads metrics, `admin` may do everything.
KeyScope = Literal["chat", "audit:read", "admin"]
Amount = Annotated[int, Field(ge=1, le=10**15)]


class KeyLimits(Settings):
    """How much a key may use; None is no limit. Tokens are those of prompts and answers, all attempts together."""

    requests_per_minute: Amount | None = None
    tokens_per_minute: Amount | None = None
    tokens_per_day: Amount | None = None
    rerouted_tokens_per_day: Amount | None = None

    @property
    def any(self) -> bool:
        """Say whether there is a limit at all."""
        return self != KeyLimits()


class KeySettings(Settings):
    """An API key by its hash: its name, what it may do, and the loosest mode of streams that it gets."""

    hash: KeyHash
    name: Name | None = None
    scopes: tuple[KeyScope, ...] = Field(default=("chat",), strict=False, min_length=1)
    models: tuple[Name, ...] | None = Field(default=None, strict=False)
    packs: tuple[str, ...] | None = Field(default=None, strict=False, min_length=1)
    mode: StreamMode | None = None
    limits: KeyLimits = KeyLimits()

    @property
    def id(self) -> str:
        """What names the key in records and limits: its name, or the beginning of its hash."""
        return self.name or self.hash.partition(":")[2][:12]

    def may(self, scope: KeyScope) -> bool:
        """Say whether the key has this scope."""
        return scope in self.scopes or "admin" in self.scopes


#: A hash alone is a key with nothing more to say of it.
Key = Annotated[KeySettings, BeforeValidator(lambda value: {"hash": value} if isinstance(value, str) else value)]


class KeysFile(Settings):
    """What `glasnost key` keeps: the keys of a server, apart from its configuration."""

    keys: tuple[Key, ...] = Field(default=(), strict=False)


class LimitsSettings(Settings):
    """Where the use of keys is counted: in memory, or in the Redis whose address an environment variable holds."""

    redis_url_env: Annotated[str, Field(min_length=1)] | None = None
