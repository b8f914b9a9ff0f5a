"""Running the auditor under a stop-watch, where its failure is never mistaken for a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from glasnost.errors import AuditFailed, GlasnostError
from glasnost.record.exchange import EXCERPT_CHARS
from glasnost.wire.answer import Answer

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Run a piece of auditing; give its result and its seconds. Whatever goes wrong inside is an AuditFailed."""
    since = time.perf_counter()
    try:
        return work(), time.perf_counter() - since
    except GlasnostError:
        raise
    except Exception as error:
        raise AuditFailed("The answer could not be audited, so it is not served.") from error


def excerpt(answers: Sequence[Answer]) -> str:
    """Give the beginning of what was said, for whoever asks to have a verdict explained."""
    said = next((text.strip() for answer in answers for _, text in reversed(answer.texts()) if text.strip()), "")
    return said if len(said) <= EXCERPT_CHARS else said[: EXCERPT_CHARS - 1] + "…"
