"""Log lines for people on a terminal, JSON for everything else; both on stderr."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Any

import structlog

from glasnost.record.redactor import Redactor


def set_up(level: str, redactor: Redactor) -> None:
    """Send our own records and those of libraries through one formatter, which takes out what `redactor` knows."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    # JSON escapes whatever a client may have put into a value; on a terminal, values are shown by their repr.
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                partial(_redact, redactor),
                renderer,
            ],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "LiteLLM", "urllib3", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _redact(redactor: Redactor, _logger: Any, _method: str, event: structlog.typing.EventDict) -> dict[str, Any]:
    """Take secrets out of every value, tracebacks included; what is no JSON is shown by its repr."""
    plain = (str, int, float, bool, list, dict, tuple, type(None))
    return {name: redactor.value(each if isinstance(each, plain) else repr(each)) for name, each in event.items()}
