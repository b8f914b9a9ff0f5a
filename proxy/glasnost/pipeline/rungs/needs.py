"""What a request asks for that not every way of asking can keep."""

from __future__ import annotations

from glasnost.wire.chat import ChatRequest


def tools(request: ChatRequest) -> bool:
    """Say whether the model may call tools, or has."""
    called = any(message.get("tool_calls") or message.get("role") == "tool" for message in request.messages)
    return bool(request.body.get("tools") or request.body.get("functions")) or called


def form(request: ChatRequest) -> bool:
    """Say whether the answer must have a form: JSON, or JSON of a schema."""
    wanted = request.body.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type", "text") != "text"


def log_probabilities(request: ChatRequest) -> bool:
    """Say whether log probabilities of the answer's tokens are asked for."""
    return bool(request.body.get("logprobs") or request.body.get("top_logprobs"))


def more_than_text(request: ChatRequest) -> bool:
    """Say whether a message holds images, sound or files."""
    contents = [message.get("content") for message in request.messages]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(part.get("type") not in ("text", "refusal") for part in parts)
