"""Who may call what: a key for every path but the probes, with the scope that the path needs and within its limits."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from glasnost.config import KeySettings
from glasnost.config.keys import KeyScope
from glasnost.errors import Forbidden, Unauthenticated
from glasnost.pipeline.caller import Caller
from glasnost.record.quotas import Quotas
from glasnost.server.facts import facts_of

#: Probes answer without a key, so that an orchestrator needs none.
OPEN_PATHS = frozenset({"/livez", "/readyz"})
#: Everything that is not listed asks for `chat`.
SCOPES: dict[str, KeyScope] = {"/metrics": "audit:read"}


@dataclass(frozen=True, slots=True)
class Guard:
    """The keys, the pepper under which they are hashed, and what they have used."""

    keys: Sequence[KeySettings]
    pepper: str | None
    quotas: Quotas


class KeyMiddleware:
    """Requires one of the configured keys on every path but the probes."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        """Take the keys; without any, everything is open (the configuration sees to it where)."""
        self._app = app
        self._keys = [(bytes.fromhex(key.hash.rpartition(":")[2]), key) for key in guard.keys]
        self._digest = digest(guard.pepper)
        self._quotas = guard.quotas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request with a known key pass, and note which one it is."""
        if scope["type"] == "http" and self._keys and scope["path"] not in OPEN_PATHS:
            facts = facts_of(scope)
            key = self._key(scope)
            facts.caller = Caller(key)
            needed = SCOPES.get(scope["path"], "chat")
            if not key.may(needed):
                raise Forbidden(f"This key has not the scope {needed!r} that this path needs.")
            if scope["method"] == "POST":
                await self._quotas.admit(key)
                facts.caller = Caller(key, may_reroute=await self._quotas.may_reroute(key))
        await self._app(scope, receive, send)

    def _key(self, scope: Scope) -> KeySettings:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        # Anthropic's clients send the key alone, in a header of its own.
        given += [b"bearer " + value for name, value in scope["headers"] if name == b"x-api-key"]
        if len(given) == 1 and given[0][:7].lower() == b"bearer ":
            shown = self._digest(given[0][7:].strip())
            # Every hash is compared, so that the time tells nothing about which one came near.
            found = [key for known, key in self._keys if hmac.compare_digest(shown, known)]
            if found:
                return found[0]
        raise Unauthenticated("A valid API key is needed: send `Authorization: Bearer <key>`.")


def digest(pepper: str | None) -> Callable[[bytes], bytes]:
    """Give what hashes a key: SHA-256, or HMAC-SHA-256 under a pepper that no file beside the hashes holds."""
    if pepper is None:
        return lambda key: hashlib.sha256(key).digest()
    return lambda key: hmac.digest(pepper.encode(), key, "sha256")


def may_ask(caller: Caller, model: str) -> bool:
    """Say whether a client may ask this model."""
    return caller.key is None or caller.key.models is None or model in caller.key.models


def check_model(caller: Caller, model: str) -> None:
    """Raise Forbidden where a key may not ask this model."""
    if not may_ask(caller, model):
        raise Forbidden(f"This key may not use the model {model!r}.", param="model", code="model_not_allowed")
