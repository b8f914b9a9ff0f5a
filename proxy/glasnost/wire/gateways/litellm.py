"""LiteLLM's generic guardrail API: `POST /beta/litellm_basic_guardrail_api`, for requests and for responses.

A response comes without its request; both have the same `litellm_call_id`. Shapes: litellm 1.106,
`types/proxy/guardrails/guardrail_hooks/generic_guardrail_api.py`.
"""

from __future__ import annotations

from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire.gateways.hook import Body, Call, Hook, reason, withheld


def _read(body: Body) -> Call:
    kind, texts = body.get("input_type"), body.get("texts") or []
    if kind not in ("request", "response"):
        raise InvalidRequest("`input_type` must be request or response.", param="input_type")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequest("`texts` must be an array of strings.", param="texts")
    messages = body.get("structured_messages")
    call_id, model = str(body.get("litellm_call_id") or ""), str(body.get("model") or "")
    if kind == "request":
        messages = messages or [{"role": "user", "content": text} for text in texts]
        return Call(messages, model=model, exchange=call_id)
    said: list[Body] = [{"message": {"content": text}, "finish_reason": "stop"} for text in texts]
    if body.get("tool_calls"):
        said.append({"message": {"tool_calls": body["tool_calls"]}, "finish_reason": "tool_calls"})
    nothing: list[Body] = [{"message": {"content": ""}, "finish_reason": "stop"}]
    return Call(messages or None, said or nothing, answered=True, model=model, exchange=call_id)


def _reply(glasnost: Body | None) -> dict[str, Any]:
    if glasnost is None:
        return {"action": "NONE"}
    told = {"action": "BLOCKED", "blocked_reason": reason(glasnost)} if withheld(glasnost) else {"action": "NONE"}
    return {**told, "glasnost": glasnost}


LITELLM = Hook("litellm", _read, _reply)
