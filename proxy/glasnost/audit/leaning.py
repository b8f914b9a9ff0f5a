"""Whether an answer that is still being read leans towards censorship, asked seldom enough to stay linear."""

from __future__ import annotations

from glasnost.audit.audit import Inquiry
from glasnost.audit.reading import Reading

_GROWTH = 1.25


class Leaning:
    """Asks the whole auditor about a choice again only when a quarter more of it is there."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._asked: dict[int, tuple[int, bool]] = {}

    def __call__(self, reading: Reading) -> bool:
        """Tell whether what was read of a choice is, by itself, of a censoring kind."""
        read = reading.fields["content"].splitter.settled
        before, leans = self._asked.get(reading.choice, (0, False))
        if read and read >= before * _GROWTH:
            leans = self._inquiry.leans(reading)
            self._asked[reading.choice] = read, leans
        return leans
