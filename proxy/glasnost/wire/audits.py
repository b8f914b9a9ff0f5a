"""`/v1/audits`: exchanges that somebody else's model answered, in; what each of them did, out, as moderations are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glasnost.errors import InvalidRequest
from glasnost.wire.answer import Answer, answers_of
from glasnost.wire.chat import ChatRequest

API = "audits"
MAX_CASES = 128


@dataclass(frozen=True, slots=True)
class Case:
    """One exchange to be judged: what was asked, of a model that nobody here knows, and every choice of the answer."""

    request: ChatRequest
    answers: tuple[Answer, ...]


def cases_of(body: Mapping[str, Any]) -> tuple[Case, ...]:
    """Read `input`, one case or an array of them; an InvalidRequest names the field that is wrong."""
    given = body.get("input")
    if isinstance(given, dict):
        return (_case(given, "input"),)
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_CASES:
        raise InvalidRequest(f"`input` must be an object, or an array of 1 to {MAX_CASES}.", param="input")
    return tuple(_case(each, f"input[{index}]") for index, each in enumerate(given))


def case_of(messages: Any, completion: Any, param: str) -> Case:
    """Give the case of a chat's messages and its completion."""
    choices = completion.get("choices") if isinstance(completion, dict) else None
    if not isinstance(choices, list) or not choices or not all(_is_choice(choice) for choice in choices):
        raise InvalidRequest(f"`{param}.choices` must be a non-empty array of choices with a message.", param=param)
    return Case(_request(messages), answers_of(completion))


def _case(case: Any, param: str) -> Case:
    """Read a `prompt` or `messages` with an `answer` (a text or a message) or a `completion`."""
    if not isinstance(case, dict):
        raise InvalidRequest(f"`{param}` must be an object.", param=param)
    messages = [{"role": "user", "content": case["prompt"]}] if "prompt" in case else case.get("messages")
    if case.get("completion") is not None:
        return case_of(messages, case["completion"], f"{param}.completion")
    answer = case.get("answer")
    message = {"content": answer} if isinstance(answer, str) else answer
    if not isinstance(message, dict):
        raise InvalidRequest(f"`{param}.answer` must be a string or a message.", param=f"{param}.answer")
    choice = {"message": message, "finish_reason": case.get("finish_reason") or "stop"}
    return case_of(messages, {"choices": [choice]}, f"{param}.answer")


def _request(messages: Any) -> ChatRequest:
    if messages == []:  # an answer alone: its own text has to tell its topic
        return ChatRequest("-", (), stream=False, include_usage=False, n=1, body={}, api=API)
    return ChatRequest.parse({"model": "-", "messages": messages}, api=API)


def _is_choice(choice: Any) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("message"), dict)
