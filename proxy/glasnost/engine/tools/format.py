"""The formats in which models write calls of tools, and which one a chat template speaks."""

from __future__ import annotations

from dataclasses import dataclass

from glasnost.engine.tools.shape import ARGUMENTS, NAME

#: Calls that one answer can hold; a model that repeats itself would never end.
MAX_CALLS = 16


@dataclass(frozen=True, slots=True)
class Format:
    """A list of calls: `first` is its first call with what opens the list, `more` each further one, `end` closes it.

    `example` is a call as a model would write it. `at_start` are forms of the first call that count only where the
    answer begins. `most` calls make one answer. `markers` are texts that a vocabulary may have as tokens.
    """

    name: str
    first: str
    more: str
    example: str
    end: str = ""
    at_start: tuple[str, ...] = ()
    most: int = MAX_CALLS
    markers: tuple[str, ...] = ()

    @property
    def tail(self) -> str:
        """What follows the arguments of a call; the same in every form."""
        return self.first.partition(ARGUMENTS)[2]

    def written(self, name: str, arguments: str) -> str:
        """Give a call as a model would write it."""
        return self.example.replace(NAME, name).replace(ARGUMENTS, arguments)
