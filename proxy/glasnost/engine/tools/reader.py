"""Calls of tools read out of an answer as it comes: names and arguments on the one hand, text on the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from glasnost.engine.tools.call import Arguments, Piece, Text, ToolCall
from glasnost.engine.tools.format import Format
from glasnost.engine.tools.shape import closing, opening


class ObjectEnd:
    """Finds the end of a JSON object that comes in parts; of other text it finds no end."""

    def __init__(self) -> None:
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def feed(self, text: str) -> int | None:
        """Give the place behind the closing brace, None when it is not in this text."""
        for at, letter in enumerate(text, 1):
            if self._escaped:
                self._escaped = False
            elif letter == "\\":
                self._escaped = self._quoted
            elif letter == '"':
                self._quoted = not self._quoted
            elif not self._quoted and letter in "{}":
                self._depth += 1 if letter == "{" else -1
                if not self._depth:
                    return at
        return None


class CallReader:
    """Feed the answer's text, take pieces; however it is split, the joined pieces are the same.

    Only a tool that was offered opens a call, once its name is known and its arguments begin; up to there, and for
    whatever does not become a call, the text is content. Arguments are given as they are written. What only frames
    a call is dropped, and so is white space around it.
    """

    def __init__(self, form: Format, names: frozenset[str], most: int, nonce: str) -> None:
        self.calls = 0
        self._format = form
        self._form = form.form
        self._names = names
        self._most = most
        self._nonce = nonce
        self._held = ""
        self._begun = False
        self._object = ObjectEnd()
        self._step: Callable[[list[Piece]], bool] = self._text

    def feed(self, text: str) -> list[Piece]:
        """Take the next text."""
        self._held += text
        pieces: list[Piece] = []
        while self._held and self._step(pieces):
            pass
        return pieces

    def finish(self) -> list[Piece]:
        """Give what was held because it might have become a call."""
        held, self._held = self._held, ""
        if self._step == self._behind:
            end = closing(self._form.end).match(held)
            framing = not held.strip() or (end is not None and end["end"] is None)
        else:
            framing = self._step == self._tail
        return [Text("content", held)] if held and not framing else []

    def _text(self, pieces: list[Piece]) -> bool:
        if self.calls == self._most:
            self._say(len(self._held), pieces)
            return False
        starts = () if self._begun else self._format.at_start
        pattern, at = opening((self._format.form.first,), tuple(form.first for form in starts)), 0
        while True:
            found = pattern.search(self._held, at)
            name = found[found.lastgroup] if found is not None and found.lastgroup else None
            if found is None or name is None or name in self._names:
                break
            at = found.start() + 1
        self._say(len(self._held) if found is None else found.start(), pieces)
        if found is None or found.lastgroup is None or name is None:
            return False
        self._form = self._format.forms[int(found.lastgroup.removeprefix("name"))]
        self._open(name, found.end() - found.start(), pieces)
        return True

    def _arguments(self, pieces: list[Piece]) -> bool:
        end = self._object.feed(self._held)
        taken = self._take(len(self._held) if end is None else end)
        pieces.append(Arguments(self.calls - 1, taken))
        if end is None:
            return False
        self._step = self._tail
        return True

    def _tail(self, _pieces: list[Piece]) -> bool:
        found = closing(self._form.tail).match(self._held)
        if found is not None and found["end"] is None:
            return False
        self._take(found.end() if found is not None else 0)
        self._step = self._text if found is None else self._behind
        return True

    def _behind(self, pieces: list[Piece]) -> bool:
        """Read what follows a call: the next one, the end of the list, or text."""
        further = self._form.more if self.calls < self._most else ""
        more = opening((further,)).match(self._held) if further else None
        if more is not None and more.lastgroup and more[more.lastgroup] in self._names:
            self._open(more[more.lastgroup], more.end(), pieces)
            return True
        end = closing(self._form.end).match(self._held)
        if (more is not None and not more.lastgroup) or (end is not None and end["end"] is None):
            return False
        self._take(end.end() if end is not None else 0)
        self._step = self._text
        return True

    def _open(self, name: str, size: int, pieces: list[Piece]) -> None:
        self._take(size)
        digest = hashlib.sha256(f"{self._nonce}/{self.calls}".encode()).hexdigest()
        pieces.append(ToolCall(self.calls, f"call_{digest[:24]}", name))
        self.calls += 1
        self._begun = True
        self._object = ObjectEnd()
        self._step = self._arguments

    def _say(self, size: int, pieces: list[Piece]) -> None:
        if size:
            pieces.append(Text("content", self._take(size)))
            self._begun = True

    def _take(self, size: int) -> str:
        taken, self._held = self._held[:size], self._held[size:]
        return taken
