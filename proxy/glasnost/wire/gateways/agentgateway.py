"""agentgateway's guardrail webhook: `POST /request` and `POST /response` on the host that it is given.

A response comes without its request, and nothing in the bodies joins the two. Shapes: `GuardrailsPromptRequest` and
`GuardrailsResponseRequest` of its source; the actions are pass (`reason`) and reject (`body`, `status_code`, `reason`).
"""

from __future__ import annotations

from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire.gateways.hook import Body, Call, Hook, reason, withheld

REJECTED_STATUS = 403


def _read_request(body: Body) -> Call:
    return Call(_list(body, "messages"))


def _read_response(body: Body) -> Call:
    # Why an answer ended is not told: what came is taken for all that was to come.
    return Call(None, [{"finish_reason": "stop", **choice} for choice in _list(body, "choices")], answered=True)


def _list(body: Body, name: str) -> list[Body]:
    inner = body.get("body")
    value = inner.get(name) if isinstance(inner, dict) else None
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidRequest(f"`body.{name}` must be an array of objects.", param=f"body.{name}")
    return value


def _reply(glasnost: Body | None) -> dict[str, Any]:
    if glasnost is None:
        return {"action": {"reason": "nothing to judge yet"}}
    if withheld(glasnost):
        why = reason(glasnost)
        return {"action": {"body": why, "status_code": REJECTED_STATUS, "reason": why}}
    return {"action": {"reason": str(glasnost["label"])}}


AGENTGATEWAY_REQUEST = Hook("agentgateway", _read_request, _reply)
AGENTGATEWAY_RESPONSE = Hook("agentgateway", _read_response, _reply)
