"""The bytes of a model's tokens as text: whole characters only, and nothing from a stop sequence on."""

from __future__ import annotations

import codecs


class TextStream:
    """Feed the bytes of one token after the other, take the text that is safe to show.

    A character whose bytes are split over tokens appears with its last byte. Text that may be the beginning of a
    stop sequence is held until it is known; the stop sequence itself never appears. However the bytes are split,
    the text is the same.
    """

    def __init__(self, stops: tuple[str, ...] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = stops
        self._held = ""
        self.stopped = False

    def feed(self, piece: bytes) -> str:
        """Take the next bytes; after a stop sequence was met, `stopped` is true and nothing more comes."""
        if self.stopped:
            return ""
        text = self._held + self._decoder.decode(piece)
        if not self._stops:
            return text
        end = self._stop(text)
        if end is not None:
            self.stopped, self._held = True, ""
            return text[:end]
        hold = max(_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - hold :]
        return text[: len(text) - hold]

    def finish(self) -> str:
        """Give what was held; the bytes of an unfinished character are dropped."""
        held, self._held = self._held, ""
        return held

    def _stop(self, text: str) -> int | None:
        # The stop that is complete first wins, as if the text had come one character at a time.
        found = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(found)[1] if found else None


def _overlap(text: str, stop: str) -> int:
    """Count the last characters of the text that begin the stop sequence."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
