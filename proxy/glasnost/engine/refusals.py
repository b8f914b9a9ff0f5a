"""Which tokens of a vocabulary keep to an opening that refuses, and which complete one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from glasnost.engine.openings import OPENINGS


class Pieces(Protocol):
    """A vocabulary that can be gone through."""

    def pieces(self) -> Iterable[bytes]:
        """Give the bytes of every token, in the order of their ids."""
        ...


@dataclass(frozen=True, slots=True)
class Following:
    """The tokens behind the beginning of an opening: those that keep to it, and those that complete one."""

    keeping: tuple[int, ...] = ()
    completing: tuple[int, ...] = ()


_NOTHING = Following()


class Refusals:
    """The openings of `openings`, in any way in which a vocabulary can write them.

    Going through the vocabulary takes tenths of a second, once: ask the first time on a thread.
    """

    def __init__(self, vocabulary: Pieces, openings: Iterable[str] = OPENINGS) -> None:
        self._vocabulary = vocabulary
        self._openings = tuple(_spellings(openings))
        self._known: dict[bytes, Following] = {}

    def following(self, said: bytes) -> Following:
        """Give the tokens behind what was said so far; none where it is no beginning of an opening, or all of one."""
        if said not in self._known:
            rests = {opening[len(said) :] for opening in self._openings if opening.startswith(said)}
            if not rests or b"" in rests:
                return _NOTHING  # not kept: there is no end of other texts
            self._known[said] = self._behind(rests)
        return self._known[said]

    def _behind(self, rests: set[bytes]) -> Following:
        keeping: set[int] = set()
        completing: set[int] = set()
        for rest in rests:
            for size in range(1, len(rest)):
                keeping.update(self._tokens.get(rest[:size], ()))
            for at in range(bisect_left(self._sorted, rest), len(self._sorted)):
                if not self._sorted[at].startswith(rest):
                    break
                completing.update(self._tokens[self._sorted[at]])
        return Following(tuple(sorted(keeping - completing)), tuple(sorted(completing)))

    @cached_property
    def _tokens(self) -> dict[bytes, list[int]]:
        """The tokens that can be part of an opening, by their bytes."""
        ends = {opening[start:] for opening in self._openings for start in range(len(opening))}
        parts = {end[:size] for end in ends for size in range(1, len(end) + 1)}
        tokens: dict[bytes, list[int]] = {}
        for token, piece in enumerate(self._vocabulary.pieces()):
            if piece in parts or any(piece[:size] in ends for size in range(1, len(piece))):
                tokens.setdefault(piece, []).append(token)
        return tokens

    @cached_property
    def _sorted(self) -> list[bytes]:
        return sorted(self._tokens)


def _spellings(openings: Iterable[str]) -> Iterable[bytes]:
    for opening in openings:
        # Many vocabularies write the first word of an answer with a blank before it.
        for blank in ("", " "):
            for spelled in {opening, opening.replace("'", "\u2019")}:
                yield (blank + spelled).encode()
