"""From a chat request to the job that the engine does for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from glasnost.engine.grammar import Grammar
from glasnost.engine.output import Calls, OutputFormat
from glasnost.engine.params import Sampling, parse_sampling, parse_signals
from glasnost.engine.prompt import Prompt, Prompter
from glasnost.engine.reasoning import Thinking
from glasnost.engine.response_format import ResponseFormat, answer_grammar, parse_response_format
from glasnost.engine.template import ChatTemplate
from glasnost.engine.tools.dialect import Dialect, dialect_of
from glasnost.engine.tools.grammar import call_grammar
from glasnost.engine.tools.offer import Offer, parse_offer
from glasnost.errors import InvalidRequest
from glasnost.wire.chat import ChatRequest


@dataclass(frozen=True, slots=True)
class ChatJob:
    """What to continue, how, how often, and how to read what comes out."""

    prompt: Prompt
    sampling: Sampling
    choices: int
    output: OutputFormat
    signals: bool = False


def prepare(request: ChatRequest, prompter: Prompter, *, vocabulary: int, slots: int) -> ChatJob:
    """Check a request for a model of `vocabulary` tokens and render it; an InvalidRequest names what is wrong.

    Rendering takes milliseconds and more for a long conversation: call it on a thread.
    """
    sampling = parse_sampling(request.body, vocabulary)
    if request.n > slots:
        raise InvalidRequest(f"`n` can be at most {slots}, the slots of this engine.", param="n")
    answer, offer = parse_response_format(request.body), parse_offer(request.body)
    dialect = _dialect(prompter.template)
    spoken = replace(request, messages=tuple(dialect.messages(request.messages, offer)))
    # Before the prompt: what a large schema is refused for must not depend on how long it takes to render.
    grammar = _grammar(dialect, offer, answer, prompter.template)
    prompt = prompter.prompt(spoken, dialect.tools(offer))
    if grammar is not None:
        sampling = replace(sampling, grammar=grammar(prompt.thinking))
    output = OutputFormat(
        thinking=prompt.thinking,
        calls=None if offer is None else Calls(dialect.form, offer.names, offer.most),
    )
    return ChatJob(prompt, sampling, request.n, output, parse_signals(request.body))


def _grammar(
    dialect: Dialect, offer: Offer | None, answer: ResponseFormat | None, template: ChatTemplate
) -> Callable[[Thinking], Grammar] | None:
    if offer is not None:
        return call_grammar(dialect.form, offer, answer)
    return None if answer is None else answer_grammar(answer, template.tags)


@cache
def _dialect(template: ChatTemplate) -> Dialect:
    # A template is tried once: it is the same for the life of an engine.
    return dialect_of(template)
