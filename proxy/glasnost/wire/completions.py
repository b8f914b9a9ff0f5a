"""`/v1/completions`: bare text is continued. Every prompt is a chat request whose only turn it is.

What a server with that path answers is put into the shape of a chat and back without loss; upstreams that know chats
alone are asked in a chat. Prompts of token ids are refused: nobody could tell what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire import jsonio, sse
from glasnost.wire.answer import Chunk, Completion
from glasnost.wire.chat import BARE_API, ChatRequest
from glasnost.wire.conversation import text_of
from glasnost.wire.dialect import Api
from glasnost.wire.envelope import error_body

MAX_PROMPTS = 128
#: What belongs to chats; to ignore it would be to answer another question.
_UNSUPPORTED = ("messages", "tools", "tool_choice", "functions", "response_format")
#: The lists of log probabilities, with a value for each token.
_LISTS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")


class CompletionsDialect:
    """One request with one prompt or several; the choices of a prompt follow those of the prompt before it."""

    def __init__(self, body: Mapping[str, Any], id: str, created: int) -> None:  # noqa: A002
        self._check(body)
        prompts = _prompts(body.get("prompt"))
        self._echoes = prompts if body.get("echo") else ("",) * len(prompts)
        kept = {name: value for name, value in body.items() if name not in ("prompt", "echo")}
        messages = ([{"role": "user", "content": prompt}] for prompt in prompts)
        self.requests = tuple(ChatRequest.parse({**kept, "messages": each}, api=BARE_API) for each in messages)
        self._envelope = {"id": f"cmpl-{id}", "object": "text_completion", "created": created}
        self._echoed: set[int] = set()
        self._offsets: dict[int, int] = {}

    def whole(self, completions: Sequence[Completion]) -> dict[str, Any]:
        """Join the completions of all prompts; of several, `glasnost` is a list with one object for each."""
        choices = [
            self._choice(choice, choice.get("message") or {}, number)
            for number, completion in enumerate(completions)
            for choice in completion["choices"]
        ]
        first, *others = completions
        verdicts = [completion.get("glasnost") for completion in completions]
        usage = _total([completion.get("usage") for completion in completions])
        body = {**first, **self._envelope, "choices": choices, "usage": usage}
        return {**body, "glasnost": verdicts if others else verdicts[0]}

    def frames(self, chunk: Chunk, number: int) -> bytes:
        """Give the chunk in this shape; one that opens a message and says nothing has none."""
        choices = [self._choice(choice, choice.get("delta") or {}, number) for choice in chunk.get("choices") or ()]
        says = any(choice["text"] or choice.get("finish_reason") for choice in choices)
        if choices and not says and "glasnost" not in chunk:
            return b""
        return sse.encode(jsonio.dumps({**chunk, **self._envelope, "choices": choices}))

    def end(self) -> bytes:
        """End with `[DONE]`."""
        return sse.DONE

    def fail(self, error: BaseException) -> bytes:
        """Give an error frame, without a `[DONE]` after it."""
        return sse.encode(jsonio.dumps(error_body(error)))

    def _choice(self, choice: Mapping[str, Any], message: Mapping[str, Any], number: int) -> dict[str, Any]:
        index = (choice.get("index") or 0) + number * self.requests[0].n
        text = text_of(message.get("content")) or text_of(message.get("refusal"))
        if index not in self._echoed:
            self._echoed.add(index)
            text = self._echoes[number] + text
        rest = {name: value for name, value in choice.items() if name not in ("message", "delta")}
        offset = self._offsets.get(index, 0)
        self._offsets[index] = offset + len(text)
        return {**rest, "index": index, "text": text, "logprobs": _legacy(choice.get("logprobs"), offset)}

    @staticmethod
    def _check(body: Mapping[str, Any]) -> None:
        for name in _UNSUPPORTED:
            if body.get(name):
                problem = f"`{name}` belongs to /v1/chat/completions; leave it out, or ask there."
                raise InvalidRequest(problem, param=name, code="unsupported_parameter")
        echo, top = body.get("echo"), body.get("logprobs")
        if not isinstance(echo, bool | None):
            raise InvalidRequest("`echo` must be true or false.", param="echo")
        if isinstance(top, bool) or not isinstance(top, int | None) or not 0 <= (top or 0) <= 20:
            raise InvalidRequest("`logprobs` must be a whole number from 0 to 20.", param="logprobs")
        if echo and top is not None:
            raise InvalidRequest("`logprobs` cannot be had with `echo`; leave one of them out.", param="logprobs")


COMPLETIONS = Api(BARE_API, CompletionsDialect)


def bare_body(request: ChatRequest) -> dict[str, Any]:
    """Give the body of a bare request as a server's own `/completions` takes it."""
    body = {name: value for name, value in request.body.items() if name != "messages"}
    return {**body, "prompt": "\n\n".join(turn.text for turn in request.conversation.turns)}


def chat_body(request: ChatRequest) -> Mapping[str, Any]:
    """Give the body of a request in the words of chats, for an upstream that knows no other."""
    if not request.bare:
        return request.body
    body = {name: value for name, value in request.body.items() if name not in ("best_of", "suffix", "logprobs")}
    top = request.body.get("logprobs")
    return body if top is None else {**body, "logprobs": True, "top_logprobs": top}


def as_chat(answer: dict[str, Any], part: str) -> dict[str, Any]:
    """Give a server's text completion or chunk in the shape of a chat, its text in `message` or `delta`."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        return answer  # which is then refused like any other of an unknown shape
    kind = "chat.completion" if part == "message" else "chat.completion.chunk"
    return {**answer, "object": kind, "choices": [_as_chat(choice, part) for choice in choices]}


def _as_chat(choice: dict[str, Any], part: str) -> dict[str, Any]:
    rest = {name: value for name, value in choice.items() if name != "text"}
    return {**rest, part: {"role": "assistant", "content": choice.get("text")}}


def _prompts(value: Any) -> tuple[str, ...]:
    prompts = [value] if isinstance(value, str) else value
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= MAX_PROMPTS:
        raise InvalidRequest(f"`prompt` must be a string, or an array of 1 to {MAX_PROMPTS}.", param="prompt")
    if not all(isinstance(prompt, str) for prompt in prompts):
        raise InvalidRequest("`prompt` must be text: token ids could not be audited.", param="prompt")
    return tuple(prompts)


def _total(usages: Sequence[Any]) -> dict[str, Any] | None:
    """Add up what was used; details are kept where there is one prompt only."""
    known = [usage for usage in usages if isinstance(usage, dict)]
    if len(usages) == 1:
        return known[0] if known else None
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {name: sum(int(usage.get(name) or 0) for usage in known) for name in names} if known else None


def _legacy(logprobs: Any, offset: int) -> Any:
    """Give a chat's log probabilities as the lists of this API, counting characters from `offset`."""
    if not isinstance(logprobs, dict) or not isinstance(logprobs.get("content"), list):
        return logprobs
    lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
    for token in logprobs["content"]:
        top = {each["token"]: each["logprob"] for each in token.get("top_logprobs") or ()}
        for name, value in zip(_LISTS, (token["token"], token["logprob"], top, offset), strict=True):
            lists[name].append(value)
        offset += len(token["token"])
    return lists
