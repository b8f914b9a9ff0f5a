"""An upstream that LiteLLM reaches: the only file that imports litellm, on first use and in a thread."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from functools import cache
from typing import Any

import httpx

from glasnost.config import LitellmUpstream
from glasnost.errors import GlasnostError, InvalidRequest, UpstreamError, UpstreamUnavailable
from glasnost.upstream.carried import carried
from glasnost.upstream.phases import PhaseClock, too_slow
from glasnost.upstream.rejection import rejection
from glasnost.upstream.shape import StreamShape, check_completion
from glasnost.wire.answer import Chunk, Completion, finish_reasons_of
from glasnost.wire.chat import ChatRequest
from glasnost.wire.completions import chat_body

# LiteLLM takes its own settings (hosts, keys, callbacks, retries, mocks) from the same keyword arguments as the
# fields of a request, so a client's fields pass only when they stand here.
FIELDS = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
    }
)
MESSAGE_FIELDS = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "reasoning_content"}
)
PART_TYPES = frozenset({"text", "refusal", "image_url", "input_audio"})


class LitellmProvider:
    """Serves one `litellm` upstream; `api_key` reaches the provider and appears in no error."""

    def __init__(self, name: str, settings: LitellmUpstream, api_key: str | None = None) -> None:
        self._name = name
        self._settings = settings
        self._api_key = api_key
        self._loading: asyncio.Task[Any] | None = None

    @property
    def name(self) -> str:
        """The upstream's name in the configuration."""
        return self._name

    def ready(self) -> bool:
        """Say yes: whether the provider is there shows in the answers."""
        return True

    async def start(self) -> None:
        """Begin to import litellm, which takes seconds, so that the first request need not wait for it."""
        self._loading = asyncio.create_task(asyncio.to_thread(_litellm))

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer in one piece."""
        clock = PhaseClock(self._name, self._settings.timeouts, streamed=False)
        with self._translated():
            answer = await clock.wait(self._call(request, stream=False))
        completion: Completion = _plain(answer.model_dump(mode="json"))
        check_completion(completion, self._name)
        return completion

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk]:
        """Answer chunk by chunk."""
        clock = PhaseClock(self._name, self._settings.timeouts, streamed=True)
        shape = StreamShape(self._name)
        with self._translated():
            chunks = await clock.wait(self._call(request, stream=True))
            async with aclosing(chunks):
                while (item := await clock.wait(anext(chunks, None))) is not None:
                    chunk: Chunk = _plain(item.model_dump(mode="json"))
                    shape.check(chunk)
                    if finish_reasons_of(chunk) and _invented(chunks):
                        raise UpstreamUnavailable(f"The upstream {self._name!r} cut its answer off.", retry_after=1)
                    clock.first_token() if shape.said else clock.restart()
                    yield chunk
                    clock.restart()
        shape.finish()

    async def aclose(self) -> None:
        """Wait for an import that is under way: a thread cannot be stopped."""
        if self._loading is not None:
            await asyncio.wait({self._loading})

    async def _call(self, request: ChatRequest, *, stream: bool) -> Any:
        litellm = await asyncio.to_thread(_litellm)
        return await litellm.acompletion(**self._arguments(request, stream=stream))

    def _arguments(self, request: ChatRequest, *, stream: bool) -> dict[str, Any]:
        body = chat_body(request.for_upstream(self._settings.model, stream=stream))
        fields = {field: value for field, value in body.items() if field in FIELDS and value is not None}
        _check_tools(fields)
        key = self._api_key
        if key is None and self._settings.base_url is not None:
            key = "none"  # or litellm sends whatever key it finds in the environment to this address
        return {
            **fields,
            "model": self._settings.model,
            "messages": [_message(message, index) for index, message in enumerate(request.messages)],
            "base_url": self._settings.base_url,
            "api_key": key,
            "timeout": self._settings.timeouts.total,
            "drop_params": True,
            "num_retries": 0,
            "max_retries": 0,
            **({"extra_headers": dict(carried())} if carried() else {}),
            "_skip_mcp_handler": True,  # or litellm imports its proxy, and with it packages that are not there
        }

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except GlasnostError:
            raise
        except Exception as error:
            raise self._translation(error) from error

    def _translation(self, error: Exception) -> UpstreamError:
        """Read litellm's exceptions, which are those of the openai library with a status and a response."""
        exceptions = _litellm().exceptions
        if isinstance(error, exceptions.Timeout):
            return too_slow(self._name, "total", self._settings.timeouts)
        lost = (exceptions.APIConnectionError, exceptions.MidStreamFallbackError, httpx.TransportError)
        # A cut connection to some providers comes out as an internal error with status 500.
        if any(isinstance(cause, lost) for cause in _causes(error)):
            return UpstreamUnavailable(f"The connection to the upstream {self._name!r} failed.", retry_after=1)
        status = getattr(error, "status_code", None)
        if not isinstance(status, int) or status < 400:
            return UpstreamError(f"The upstream {self._name!r} failed: {type(error).__name__}.")
        code = "context_length_exceeded" if isinstance(error, exceptions.ContextWindowExceededError) else None
        said = {"message": getattr(error, "message", None), "code": code or getattr(error, "code", None)}
        headers = {
            key.lower(): value for key, value in (getattr(error, "litellm_response_headers", None) or {}).items()
        }
        return rejection(self._name, status, headers, said, secret=self._api_key)


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """Undo what litellm does to OpenAI's shapes: text in places that nobody audits, a usage chunk with a choice."""
    for choice in answer["choices"]:
        choice.pop("provider_specific_fields", None)
        message = choice.get("message") or choice.get("delta") or {}
        message.pop("thinking_blocks", None)  # the text of reasoning_content once more
        refusal = (message.pop("provider_specific_fields", None) or {}).get("refusal")
        if refusal is not None:
            message["refusal"] = refusal
    if answer.get("usage") and not any(_says(choice) for choice in answer["choices"]):
        answer["choices"] = []
    return answer


def _invented(chunks: Any) -> bool:
    """Say whether litellm made up the finish reason of a stream that ended without one."""
    return chunks.received_finish_reason is None and chunks.intermittent_finish_reason is None


def _says(choice: Mapping[str, Any]) -> bool:
    return "message" in choice or bool(choice.get("finish_reason")) or any((choice.get("delta") or {}).values())


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@cache
def _litellm() -> Any:
    """Import litellm once, without its habits: no look-ups on the network, no .env file, no callbacks, no chatter."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    import litellm  # noqa: PLC0415  it takes seconds and most configurations never need it

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.callbacks = []
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai"):  # at debug, they show prompts
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


def _message(message: Mapping[str, Any], index: int) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, list):
        for part in content:
            _check_part(part, f"messages[{index}].content")
    return {field: value for field, value in message.items() if field in MESSAGE_FIELDS}


def _check_part(part: Mapping[str, Any], param: str) -> None:
    """Refuse what litellm would fetch for some providers: nothing that a client names is fetched from here."""
    kind = part.get("type")
    if kind not in PART_TYPES:
        raise InvalidRequest(f"`{param}` holds a part of type {kind!r}, which is not passed on.", param=param)
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    if kind == "image_url" and not (isinstance(url, str) and url.startswith("data:")):
        raise InvalidRequest(f"`{param}` names an image by its address; send it as a data URL.", param=param)


def _check_tools(fields: Mapping[str, Any]) -> None:
    """Let functions alone through: other tools make litellm or the provider open connections."""
    tools = fields.get("tools") or []
    if not isinstance(tools, list) or not all(
        isinstance(tool, dict) and tool.get("type") == "function" for tool in tools
    ):
        raise InvalidRequest("`tools` must be an array of functions.", param="tools")
