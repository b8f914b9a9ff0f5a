"""One choice while it is generated: from the tokens that the sampler chose to text and to the end of it."""

from __future__ import annotations

from typing import Protocol

from glasnost.engine.events import Delta, End, FinishReason, Progress, TokenLogprob
from glasnost.engine.opening import Logits, Opening
from glasnost.engine.params import Sampling
from glasnost.engine.sequence import Sequence
from glasnost.engine.text import TextStream


class Chooser(Protocol):
    """Chooses the token behind a row of the last batch."""

    def sample(self, row: int) -> int | None:
        """Choose, and remember what was chosen; None when no token can follow."""
        ...

    def close(self) -> None:
        """Free what the chooser holds."""
        ...


class Vocabulary(Protocol):
    """What tokens stand for."""

    def piece(self, token: int) -> bytes:
        """Give a token's bytes."""
        ...

    def ends(self, token: int) -> bool:
        """Say whether the token ends the answer."""
        ...


class Computed(Logits, Protocol):
    """Gives log probabilities of the last batch."""

    def logprobs(self, row: int, token: int, top: int) -> tuple[float, list[tuple[int, float]]]:
        """Give that of a token, and the likeliest tokens with theirs."""
        ...


class Generation:
    """A choice of a request; `step` after every batch that computed its next token, until it is `complete`."""

    def __init__(
        self, choice: int, sequence: Sequence, sampling: Sampling, sampler: Chooser, opening: Opening | None = None
    ) -> None:
        self.sequence = sequence
        self.complete = False
        self._choice = choice
        self._sampler = sampler
        self._top = sampling.top_logprobs
        self._text = TextStream(sampling.stop)
        self._opening = opening

    def step(self, row: int, vocabulary: Vocabulary, model: Computed) -> list[Progress]:
        """Choose the next token and tell what it brings; an End is always the last event."""
        token = self._sampler.sample(row)
        if token is None:
            # The vocabulary cannot write what the grammar asks for: the answer is cut, not complete.
            return self._end("length")
        self.sequence.tokens.append(token)
        if vocabulary.ends(token):
            return self._end("stop")
        piece = vocabulary.piece(token)
        text = self._text.feed(piece)
        events: list[Progress] = [Delta(self._choice, text, self._logprob(row, token, vocabulary, model))]
        signals = self._opening.see(row, token, piece, model) if self._opening is not None else None
        if signals is not None:
            events.append(signals)
        if self._text.stopped:
            return [*events, *self._end("stop")]
        if self.sequence.spent:
            return [*events, *self._end("length")]
        return events

    def close(self) -> None:
        """Free the sampler."""
        self._sampler.close()

    def _end(self, reason: FinishReason) -> list[Progress]:
        self.complete = True
        held = self._text.finish()
        signals = self._opening.finish() if self._opening is not None else None
        events: list[Progress] = [Delta(self._choice, held)] if held else []
        if signals is not None:
            events.append(signals)
        return [*events, End(self._choice, reason, self.sequence.generated, self.sequence.reused)]

    def _logprob(self, row: int, token: int, vocabulary: Vocabulary, model: Computed) -> TokenLogprob | None:
        if self._top is None:
            return None
        logprob, best = model.logprobs(row, token, self._top)
        top = tuple((vocabulary.piece(other), value) for other, value in best)
        return TokenLogprob(vocabulary.piece(token), logprob, top)
