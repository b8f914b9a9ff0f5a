"""Settings of the ledger: where records are kept, what they hold, how long, and what happens when they cannot be."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from glasnost.config.fields import Count, Seconds, Settings

Content = Literal["none", "hash", "excerpt", "full"]
Days = Annotated[int, Field(ge=1, le=36_500)]


class CheckpointSettings(Settings):
    """Where signed checkpoints go: lines added to a file, or the input of a command, every so many seconds."""

    key: Annotated[str, Field(min_length=1)]
    file: Annotated[str, Field(min_length=1)] | None = None
    command: tuple[str, ...] = Field(default=(), strict=False)
    seconds: Seconds = 60.0

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if (self.file is None) == (not self.command):
            raise ValueError("name either a file or a command")
        return self


class LedgerSettings(Settings):
    """The record of exchanges: a SQLite file, or a PostgreSQL server.

    `path` None is the usual place of a user's data; `url_env` names the environment variable that holds the address
    of a server, which may hold a password.
    """

    enabled: bool = True
    path: Annotated[str, Field(min_length=1)] | None = None
    url_env: Annotated[str, Field(min_length=1)] | None = None
    on_failure: Literal["closed", "open"] = "closed"
    content: Content = "hash"
    timeout_seconds: Seconds = 5.0
    max_backlog: Count = 10_000
    retention_days: Days | None = None
    content_days: Days | None = None
    checkpoints: CheckpointSettings | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.path is not None and self.url_env is not None:
            raise ValueError("name either a path or a url_env")
        return self
