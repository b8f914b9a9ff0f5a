"""The kinds of values that settings are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
AdapterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
KvType = Literal["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
#: `auto` is None: the planner chooses.
Automatic = BeforeValidator(lambda value: None if value == "auto" else value)
Bytes = Annotated[int, Field(ge=1, le=1 << 30)]
StreamMode = Literal["observe", "window", "hold", "full"]
#: Which of a model's upstreams is asked: the first that may be, or the least busy.
Balance = Literal["order", "least_busy"]
#: What happens when a hold reaches its cap before a verdict is there.
Overflow = Literal["release", "flag", "reroute", "block"]
#: What happens when an answer turns out censored after some of it has left.
AfterRelease = Literal["flag", "stop", "amend"]


class Settings(BaseModel):
    """Frozen, and a field that is not known is a mistake worth telling."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
