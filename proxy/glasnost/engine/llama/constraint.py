"""A grammar at work on one sequence: which tokens keep to it.

llama.cpp ends the process when its grammar is given a token that does not fit, so that every token is tried before it
is taken, the text behind a trigger byte by byte.
"""

from __future__ import annotations

import codecs
import re

import numpy as np
import numpy.typing as npt

from glasnost.engine.grammar import Grammar
from glasnost.engine.llama.candidates import Candidates
from glasnost.engine.llama.lib import last_words, lib
from glasnost.engine.llama.model import Model
from glasnost.errors import InvalidRequest

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]

_LONGEST_MATCH = 256
_ZERO = np.zeros(1, np.float32)


class Constraint:
    """The state of a grammar within an answer; InvalidRequest where llama.cpp does not take the grammar."""

    def __init__(self, model: Model, grammar: Grammar) -> None:
        self.model = model
        self._one = Candidates(1)
        self._sampler = lib.llama_sampler_init_grammar(model.vocab, grammar.text.encode(), b"root")
        if not self._sampler:
            raise InvalidRequest(f"llama.cpp does not take the grammar: {last_words()}.", code="invalid_grammar")
        self._triggers = [re.compile(trigger) for trigger in grammar.triggers]
        # None once the grammar holds.
        self._free: str | None = "" if self._triggers else None
        self._free_text = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = codecs.getincrementaldecoder("utf-8")()

    def take(self, token: int) -> bool:
        """Go on with a token if it fits; what does not fit changes nothing."""
        if self._free is not None:
            return self._take_free(token, self._free)
        if self.model.ends(token):
            return self._fits(token)
        # A control token fits where its name would, but stands for no text.
        piece = self.model.piece(token)
        state = self._text.getstate()
        try:
            # llama.cpp decodes without a check, and could take for a quotation mark what is none.
            self._text.decode(piece)
        except UnicodeDecodeError:
            piece = b""
        if not piece or not self._fits(token):
            self._text.setstate(state)
            return False
        lib.llama_sampler_accept(self._sampler, token)
        return True

    def mask(self, logits: Floats, ids: Ids) -> Floats:
        """Give the logits of these tokens, minus infinity for those that do not fit; `take` may still refuse others."""
        if self._free is not None:
            return logits.copy()
        candidates = Candidates(len(ids))
        lib.llama_sampler_apply(self._sampler, candidates.fill(logits, ids))
        return candidates.logits.copy()

    def close(self) -> None:
        """Free the grammar."""
        lib.llama_sampler_free(self._sampler)

    def _fits(self, token: int) -> bool:
        lib.llama_sampler_apply(self._sampler, self._one.fill(_ZERO, np.array([token], np.int32)))
        return bool(self._one.logits[0] == 0)

    def _take_free(self, token: int, before: str) -> bool:
        state = self._free_text.getstate()
        text = before + self._free_text.decode(self.model.piece(token))
        start = self._triggered(text)
        if start is None:
            self._free = text
            return True
        self._free = None
        tokens = (self.model.byte_tokens.get(byte) for byte in text[start:].encode())
        if all(token is not None and self.take(token) for token in tokens):
            return True
        self._free = before
        self._free_text.setstate(state)
        self._text.reset()
        lib.llama_sampler_reset(self._sampler)
        return False

    def _triggered(self, text: str) -> int | None:
        for trigger in self._triggers:
            if found := trigger.search(text, max(0, len(text) - _LONGEST_MATCH)):
                return found.start(1 if trigger.groups and found[1] is not None else 0)
        return None
