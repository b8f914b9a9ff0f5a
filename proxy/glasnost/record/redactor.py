"""Taking secrets out of whatever is kept or shown: those that are known here, and what looks like one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

REDACTED = "[redacted]"
_SHORTEST = 8

_NAMES = (
    "authorization|proxy-authorization|cookie|set-cookie|x-api-key|api[_-]?key|access[_-]?token|secret[_-]?key|password"
)
_NAMED = (
    rf"""(?P<name>["']?\b(?:{_NAMES})["']?\s*[:=]\s*(?:(?:bearer|basic|token)\s+)?)"""
    r"""(?:"[^"\n]+"|'[^'\n]+'|[^\s,;"'}\]]{4,})"""
)
# Shapes that their issuers document, each with a prefix or a name before it: a bare run of letters is no secret.
_SHAPES = (
    r"(?P<before>\b(?:bearer|basic)\s+)[a-z0-9._~+/=-]{8,}",
    r"(?P<user>[a-z][a-z0-9+.-]{0,20}://)[^\s/@:]*:[^\s/@]+@",
    _NAMED,
    r"\b(?:sk|pk|rk)-[a-z0-9_-]{16,}",
    r"\bglasnost-[a-z0-9_-]{32,}",
    r"\b(?:gh[pousr]_[a-z0-9]{30,}|github_pat_[a-z0-9_]{30,}|hf_[a-z0-9]{24,}|xox[abprs]-[a-z0-9-]{10,})",
    r"\b(?:akia|asia)[a-z0-9]{16}\b",
    r"\beyj[a-z0-9_-]{10,}\.[a-z0-9_-]{10,}\.[a-z0-9_-]{5,}",
    r"-----BEGIN [a-z ]*PRIVATE KEY-----[a-z0-9+/=\s\\]*(?:-----END [a-z ]*PRIVATE KEY-----)?",
)


class Redactor:
    """Replaces secrets in texts and in JSON values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take the secrets that this process knows; very short ones would hit words, and are left to their shapes."""
        self._known: tuple[str, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Take more secrets; those of before stay, since what they opened may still be open to them."""
        known = {*self._known, *(secret for secret in secrets if len(secret) >= _SHORTEST)}
        self._known = tuple(sorted(known, key=len, reverse=True))

    def text(self, text: str) -> str:
        """Give a text without secrets."""
        for secret in self._known:
            text = text.replace(secret, REDACTED)
        replaced: str = _shapes().sub(_replacement, text) if len(text) >= _SHORTEST else text
        return replaced

    def value(self, value: Any) -> Any:
        """Give a JSON value without secrets in any of its strings; keys are ours, and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self.value(each) for each in value]
        return value


@cache
def _shapes() -> Any:
    import re2  # noqa: PLC0415  # its C++ library loads in 12 ms, and only what redacts needs it

    options = re2.Options()
    options.case_sensitive = False
    return re2.compile("|".join(_SHAPES), options)


def _replacement(found: Any) -> str:
    if found.group("user"):
        return f"{found.group('user')}{REDACTED}@"
    return f"{found.group('before') or found.group('name') or ''}{REDACTED}"
