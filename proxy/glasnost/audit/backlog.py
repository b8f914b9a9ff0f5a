"""The chunks of a stream that wait to leave, in the order in which they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from glasnost.wire.answer import Chunk, Fragment

CHUNK_BYTES = 256
"""What a waiting chunk is counted with beside its text, so that chunks without text are bounded too."""

Cleared = Callable[[int, str, int], bool]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A chunk, with what must be cleared before it leaves: (choice, field, end of its text there)."""

    chunk: Chunk
    needs: tuple[tuple[int, str, int], ...]
    chars: int
    bytes: int


class Backlog:
    """A queue of chunks; `bytes` and `text_bytes` are what waits, `released` the characters that have left.

    `read_bytes` counts the text of all that ever came.
    """

    def __init__(self) -> None:
        self._queue: deque[_Waiting] = deque()
        self._lengths: dict[tuple[int, str], int] = {}
        self.bytes = 0
        self.text_bytes = 0
        self.read_bytes = 0
        self.released = 0

    def add(self, chunk: Chunk, fragments: list[Fragment]) -> None:
        """Take the next chunk, which adds these fragments."""
        needs: list[tuple[int, str, int]] = []
        for fragment in fragments:
            key = (fragment.choice, fragment.field)
            self._lengths[key] = self._lengths.get(key, 0) + len(fragment.text)
            needs.append((*key, self._lengths[key]))
        size = sum(len(fragment.text.encode("utf-8", "surrogatepass")) for fragment in fragments)
        self._queue.append(_Waiting(chunk, tuple(needs), sum(len(each.text) for each in fragments), size))
        self.text_bytes += size
        self.read_bytes += size
        self.bytes += size + CHUNK_BYTES

    def release(self, cleared: Cleared) -> tuple[Chunk, ...]:
        """Take the longest beginning whose text is cleared; a chunk without text follows the text after it."""
        ready = 0
        for number, waiting in enumerate(self._queue, start=1):
            if not all(cleared(*need) for need in waiting.needs):
                break
            if waiting.needs:
                ready = number
        return self._take(ready)

    def release_all(self) -> tuple[Chunk, ...]:
        """Take everything."""
        return self._take(len(self._queue))

    def _take(self, count: int) -> tuple[Chunk, ...]:
        taken = [self._queue.popleft() for _ in range(count)]
        self.released += sum(each.chars for each in taken)
        self.text_bytes -= sum(each.bytes for each in taken)
        self.bytes -= sum(each.bytes + CHUNK_BYTES for each in taken)
        return tuple(each.chunk for each in taken)
