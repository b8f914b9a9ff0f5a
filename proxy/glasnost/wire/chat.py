"""A chat completion request: what Glasnost reads of it, with every other field kept as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire.conversation import Conversation

MAX_CHOICES = 16
BARE_API = "completions"
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

# Fields that some client libraries treat as their own settings: a caller could point the proxy at another host,
# use its credentials, or run a template of their own (CVE-2026-47101, CVE-2026-5760). They are never passed on.
REFUSED_FIELDS = frozenset(
    {
        "api_base",
        "api_key",
        "api_version",
        "base_url",
        "chat_template",
        "custom_llm_provider",
        "extra_headers",
        "fallbacks",
        "mock_response",
        "user_config",
    }
)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A parsed request. `body` is what goes upstream; treat it and what it holds as read-only.

    `api` is the one that the client speaks, by its name in metrics. A `bare` request is for text to be continued
    without a chat template, by an upstream that has such: its messages are that text, as the turns that an auditor
    reads, and `wire.completions` gives the body and the shapes of it.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    stream: bool
    include_usage: bool
    n: int
    body: Mapping[str, Any]
    api: str = "chat"

    @classmethod
    def parse(cls, body: Mapping[str, Any], *, api: str = "chat") -> ChatRequest:
        """Check the fields that we depend on; an InvalidRequest names the one that is wrong."""
        refuse_settings(body)
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise InvalidRequest("`model` must be a non-empty string.", param="model")
        return cls(
            model=model,
            messages=_messages(body.get("messages")),
            stream=_boolean(body, "stream"),
            include_usage=_include_usage(body.get("stream_options")),
            n=_choices(body.get("n")),
            body=body,
            api=api,
        )

    @property
    def bare(self) -> bool:
        """True for text that is to be continued as it stands."""
        return self.api == BARE_API

    @property
    def conversation(self) -> Conversation:
        """The turns as text."""
        return Conversation.from_messages(self.messages)

    def with_fields(self, **fields: Any) -> ChatRequest:
        """Give a copy whose body, and what we read of it, has these fields instead."""
        return ChatRequest.parse({**self.body, **fields}, api=self.api)

    def for_upstream(self, model: str, *, stream: bool) -> ChatRequest:
        """Give the request as an upstream gets it: its own name of the model, and usage always counted."""
        body = {**self.body, "model": model, "stream": stream}
        if stream:
            body["stream_options"] = {**(self.body.get("stream_options") or {}), "include_usage": True}
        else:
            body.pop("stream_options", None)
        return replace(self, model=model, stream=stream, include_usage=stream, body=body)


def refuse_settings(body: Mapping[str, Any]) -> None:
    """Raise InvalidRequest for a field that belongs to the operator."""
    refused = sorted(REFUSED_FIELDS & body.keys())
    kwargs = body.get("chat_template_kwargs")
    if isinstance(kwargs, dict) and "chat_template" in kwargs:
        refused.append("chat_template_kwargs.chat_template")
    if refused:
        raise InvalidRequest(
            f"`{refused[0]}` cannot be set in a request; remove it.",
            param=refused[0],
            code="unsupported_parameter",
        )


def _messages(value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not value:
        raise InvalidRequest("`messages` must be a non-empty array.", param="messages")
    for index, message in enumerate(value):
        _check_message(message, f"messages[{index}]")
    return tuple(value)


def _check_message(message: Any, param: str) -> None:
    if not isinstance(message, dict):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    if message.get("role") not in ROLES:
        raise InvalidRequest(f"`{param}.role` must be one of {', '.join(sorted(ROLES))}.", param=f"{param}.role")
    content = message.get("content")
    if not (content is None or isinstance(content, str | list)):
        raise InvalidRequest(f"`{param}.content` must be a string or an array of parts.", param=f"{param}.content")
    if isinstance(content, list) and not all(isinstance(part, dict) for part in content):
        raise InvalidRequest(f"`{param}.content` must hold objects only.", param=f"{param}.content")
    calls = message.get("tool_calls")
    if not (calls is None or isinstance(calls, list)):
        raise InvalidRequest(f"`{param}.tool_calls` must be an array.", param=f"{param}.tool_calls")


def _boolean(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"`{name}` must be true or false.", param=name)
    return bool(value)


def _include_usage(options: Any) -> bool:
    if options is None:
        return False
    if not isinstance(options, dict):
        raise InvalidRequest("`stream_options` must be an object.", param="stream_options")
    return _boolean(options, "include_usage")


def _choices(value: Any) -> int:
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_CHOICES:
        raise InvalidRequest(f"`n` must be a whole number from 1 to {MAX_CHOICES}.", param="n")
    return value
