"""One choice while it is generated: from the tokens that the sampler chose to text and to the end of it."""

from __future__ import annotations

from typing import Protocol

from glasnost.engine.events import Delta, End, Event, FinishReason, TokenLogprob
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


class Logprobs(Protocol):
    """Gives log probabilities of the last batch."""

    def logprobs(self, row: int, token: int, top: int) -> tuple[float, list[tuple[int, float]]]:
        """Give that of a token, and the likeliest tokens with theirs."""
        ...


class Generation:
    """A choice of a request; `step` after every batch that computed its next token, until it is `complete`."""

    def __init__(self, choice: int, sequence: Sequence, sampling: Sampling, sampler: Chooser) -> None:
        self.sequence = sequence
        self.complete = False
        self._choice = choice
        self._sampler = sampler
        self._top = sampling.top_logprobs
        self._text = TextStream(sampling.stop)

    def step(self, row: int, vocabulary: Vocabulary, model: Logprobs) -> list[Event]:
        """Choose the next token and tell what it brings; an End is always the last event."""
        token = self._sampler.sample(row)
        if token is None:
            # The vocabulary cannot write what the grammar asks for: the answer is cut, not complete.
            return self._end("length")
        self.sequence.tokens.append(token)
        if vocabulary.ends(token):
            return self._end("stop")
        text = self._text.feed(vocabulary.piece(token))
        delta = Delta(self._choice, text, self._logprob(row, token, vocabulary, model))
        if self._text.stopped:
            return [delta, *self._end("stop")]
        if self.sequence.spent:
            return [delta, *self._end("length")]
        return [delta]

    def close(self) -> None:
        """Free the sampler."""
        self._sampler.close()

    def _end(self, reason: FinishReason) -> list[Event]:
        self.complete = True
        held = self._text.finish()
        end = End(self._choice, reason, self.sequence.generated, self.sequence.reused)
        return [Delta(self._choice, held), end] if held else [end]

    def _logprob(self, row: int, token: int, vocabulary: Vocabulary, model: Logprobs) -> TokenLogprob | None:
        if self._top is None:
            return None
        logprob, best = model.logprobs(row, token, self._top)
        top = tuple((vocabulary.piece(other), value) for other, value in best)
        return TokenLogprob(vocabulary.piece(token), logprob, top)
