"""One sequence of tokens that a model continues: its prompt, what was generated, and whether it may go on."""

from __future__ import annotations

from dataclasses import dataclass, field

from glasnost.engine.adapters import Adapters


@dataclass(slots=True, eq=False)
class Sequence:
    """A prompt and its continuation; two sequences are equal only when they are the same one.

    `tokens` is the prompt followed by what was generated; all of them are computed with `adapters`. `reused` counts
    the prompt tokens that came out of the KV cache instead of being computed.
    """

    prompt: tuple[int, ...]
    limit: int
    adapters: Adapters = ()
    tokens: list[int] = field(init=False)
    reused: int = 0
    cancelled: bool = False

    def __post_init__(self) -> None:
        if not self.prompt:
            raise ValueError("a sequence needs at least one token to start from")
        self.tokens = list(self.prompt)

    @property
    def generated(self) -> int:
        """How many tokens were generated so far."""
        return len(self.tokens) - len(self.prompt)

    @property
    def spent(self) -> bool:
        """True when no further token may be generated."""
        return self.generated >= self.limit
