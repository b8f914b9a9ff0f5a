"""Portkey's webhook guardrail, before a request and after its response; it tells both with the response.

Shapes: @portkey-ai/gateway 1.15, the plugin `default.webhook`: `verdict` true lets pass, and what false does is said in
Portkey's own configuration.
"""

from __future__ import annotations

from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire.completions import as_chat
from glasnost.wire.gateways.hook import Body, Call, Hook, reason, withheld


def _read(body: Body) -> Call:
    request, kind = _json(body, "request"), body.get("requestType")
    if kind not in ("chatComplete", "complete"):
        raise InvalidRequest(f"`requestType` is {kind!r}, whose texts could not be audited.", param="requestType")
    messages = request.get("messages")
    if kind == "complete":
        prompt = request.get("prompt")
        text = prompt if isinstance(prompt, str) else "\n\n".join(map(str, prompt or ()))
        messages = [{"role": "user", "content": text}]
    if not isinstance(messages, list):
        raise InvalidRequest("`request.json.messages` must be an array.", param="request.json.messages")
    model = str(request.get("model") or "")
    if body.get("eventType") == "beforeRequestHook":
        return Call(messages, model=model)
    response = _json(body, "response")
    if kind == "complete":
        response = as_chat(dict(response), "message")
    choices = response.get("choices")
    return Call(messages, choices if isinstance(choices, list) else [], answered=True, model=model)


def _json(body: Body, name: str) -> Body:
    part = body.get(name)
    value = part.get("json") if isinstance(part, dict) else None
    if not isinstance(value, dict):
        raise InvalidRequest(f"`{name}.json` must be an object.", param=f"{name}.json")
    return value


def _reply(glasnost: Body | None) -> dict[str, Any]:
    if glasnost is None:
        return {"verdict": True}
    told = {"explanation": reason(glasnost)} if withheld(glasnost) else {}
    return {"verdict": not withheld(glasnost), "data": {**told, "glasnost": glasnost}}


PORTKEY = Hook("portkey", _read, _reply)
