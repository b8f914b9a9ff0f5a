"""The formats in which models write calls of tools, as values."""

from __future__ import annotations

from dataclasses import dataclass

from glasnost.engine.tools.shape import ARGUMENTS, NAME

#: Calls that one answer can hold; a model that repeats itself would never end.
MAX_CALLS = 16


@dataclass(frozen=True, slots=True)
class Form:
    """A list of calls: the shape of the first with what opens the list, of each further one, and the list's end.

    Without `more` the list is a single call.
    """

    first: str
    more: str = ""
    end: str = ""

    @property
    def tail(self) -> str:
        """What follows the arguments of a call, first or not."""
        return self.first.partition(ARGUMENTS)[2]


@dataclass(frozen=True, slots=True)
class Format:
    """How a family of models writes calls: in a form that is known anywhere, or in one of those `at_start`.

    The latter count only where the answer begins. `example` is a call as a model would write it, `markers` are texts
    that a vocabulary may have as control tokens.
    """

    name: str
    form: Form
    example: str
    at_start: tuple[Form, ...] = ()
    markers: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[Form, ...]:
        """All forms."""
        return (self.form, *self.at_start)

    def written(self, name: str, arguments: str) -> str:
        """Give a call as a model would write it."""
        return self.example.replace(NAME, name).replace(ARGUMENTS, arguments)
