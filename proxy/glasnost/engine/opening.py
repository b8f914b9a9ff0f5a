"""The signals of an answer's opening that only the owner of the context has: how sure its tokens were, and of what."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from glasnost.engine.events import Signals
from glasnost.engine.reasoning import ReasoningSplitter, Thinking
from glasnost.engine.refusals import Refusals

#: How many tokens of an answer are its opening.
OPENING_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a model's logits say of one place, at temperature 1: of a token, of groups of tokens, and of them all.

    `entropy` is in nats.
    """

    probability: float
    masses: tuple[float, ...]
    entropy: float


class Logits(Protocol):
    """Gives what the last batch says."""

    def distribution(self, row: int, token: int, groups: Sequence[Sequence[int]]) -> Distribution:
        """Give the probability of a token, the mass of each group, and the entropy."""
        ...


#: Gives the `Opening` of the choice of this number.
Watch = Callable[[int], "Opening"]


@dataclass(frozen=True, slots=True)
class _Place:
    """A token of the answer's opening."""

    piece: bytes
    probability: float
    kept: float
    completed: float
    entropy: float


class Opening:
    """Watches the first tokens of one choice: `see` each, once it is chosen, until that gives the signals.

    The opening is that of the answer, behind thinking and white space.
    """

    def __init__(self, choice: int, thinking: Thinking, refusals: Refusals) -> None:
        self._choice = choice
        self._refusals = refusals
        self._splitter = ReasoningSplitter(thinking)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._places: list[_Place] = []
        self._begun = False
        self._told = False

    def see(self, row: int, token: int, piece: bytes, model: Logits) -> Signals | None:
        """Take the next token; give the signals with the last of the opening."""
        if self._told:
            return None
        if not self._splitter.thinking:
            self._places.append(self._place(row, token, piece, model))
        if not self._begun:
            self._wait(self._decoder.decode(piece))
        return self.finish() if self._begun and len(self._places) == OPENING_TOKENS else None

    def finish(self) -> Signals | None:
        """Give the signals of an opening that ends here; None when they were given."""
        if self._told:
            return None
        self._told = True
        mass, by_token = _refusal(self._places)
        return Signals(
            self._choice,
            refusal_mass=mass,
            refusal_by_token=by_token,
            entropy=sum(place.entropy for place in self._places) / max(1, len(self._places)),
            tokens=len(self._places),
            empty_thinking=self._splitter.empty,
        )

    def _place(self, row: int, token: int, piece: bytes, model: Logits) -> _Place:
        said = b"".join(place.piece for place in self._places).lstrip()
        following = self._refusals.following(said)
        found = model.distribution(row, token, (following.keeping, following.completing))
        kept, completed = found.masses
        return _Place(piece, found.probability, kept, completed, found.entropy)

    def _wait(self, text: str) -> None:
        """Drop what turns out to be thinking, or white space before the answer."""
        self._begun = any(field == "content" and part.strip() for field, part in self._splitter.feed(text))
        if not self._begun and (self._splitter.thinking or (text and not text.strip())):
            self._places.clear()


def _refusal(places: list[_Place]) -> tuple[float, tuple[float, ...]]:
    """Give the mass of the openings that refuse, along what was said, and its share at each token.

    The first is how likely the model was to complete one of them with the first token, or the second behind the
    first that was chosen, and so on: a lower bound of the probability that it opens with a refusal, since openings
    that part from what was said before they are complete are not followed.
    """
    mass, path = 0.0, 1.0
    by_token: list[float] = []
    for place in places:
        if not place.kept + place.completed:
            break
        by_token.append(min(1.0, place.kept + place.completed))
        mass += path * place.completed
        path *= place.probability
    return min(1.0, mass), tuple(by_token)
