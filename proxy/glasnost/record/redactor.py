"""Taking secrets out of whatever is kept or shown: those that are known here, and what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

REDACTED = "[redacted]"
_SHORTEST = 8

# Shapes that their issuers document, each with a prefix or a name before it: a bare run of letters is no secret.
_SHAPES = re.compile(
    r"""
      (?P<before>\b(?:bearer|basic)\s+)[a-z0-9._~+/=-]{8,}
    | (?P<user>[a-z][a-z0-9+.-]{0,20}://)[^\s/@:]*:[^\s/@]+@
    | (?P<name>["']?\b(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[_-]?key|access[_-]?token
        |secret[_-]?key|password)["']?\s*[:=]\s*(?:(?:bearer|basic|token)\s+)?)(?:"[^"\n]{1,4096}"|'[^'\n]{1,4096}'|[^\s,;"'}\]]{4,4096})
    | \b(?:sk|pk|rk)-[a-z0-9_-]{16,}
    | \bglasnost-[a-z0-9_-]{32,}
    | \b(?:gh[pousr]_[a-z0-9]{30,}|github_pat_[a-z0-9_]{30,}|hf_[a-z0-9]{24,}|xox[abprs]-[a-z0-9-]{10,})
    | \b(?:akia|asia)[a-z0-9]{16}\b
    | \beyj[a-z0-9_-]{10,}\.[a-z0-9_-]{10,}\.[a-z0-9_-]{5,}
    | -----BEGIN\ [a-z\ ]{0,30}PRIVATE\ KEY-----[a-z0-9+/=\s\\]{0,20000}(?:-----END\ [a-z\ ]{0,30}PRIVATE\ KEY-----)?
    """,
    re.IGNORECASE | re.VERBOSE,
)


class Redactor:
    """Replaces secrets in texts and in JSON values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take the secrets that this process knows; very short ones would hit words, and are left to their shapes."""
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """Give a text without secrets."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        return _SHAPES.sub(_replacement, text)

    def value(self, value: Any) -> Any:
        """Give a JSON value without secrets in any of its strings; keys are ours, and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self.value(each) for each in value]
        return value


def _replacement(found: re.Match[str]) -> str:
    if found["user"]:
        return f"{found['user']}{REDACTED}@"
    return f"{found['before'] or found['name'] or ''}{REDACTED}"
