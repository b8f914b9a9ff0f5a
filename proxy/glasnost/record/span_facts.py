"""From exchanges and attempts to the attributes of spans: names, labels and numbers, and no word of what was said.

Names under `gen_ai` and `http` are those of OpenTelemetry's semantic conventions, the others are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from glasnost.audit.verdict import Verdict
from glasnost.config import HttpUpstream, LitellmUpstream, LocalUpstream, UpstreamSettings
from glasnost.record.exchange import Attempt, Consultation, Exchange
from glasnost.record.upstream_metrics import outcome_of

Attributes = dict[str, str | bool | int | float | tuple[str, ...]]

EVALUATION: Final = "gen_ai.evaluation.result"
CONSULTATION: Final = "glasnost.consultation"
#: What the evaluation looks for, by its name in `gen_ai.evaluation.name`.
EVALUATES: Final = "political_censorship"

# LiteLLM's names of providers where the conventions have another.
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
#: What the conventions call the work of our endpoints; the others judge answers that were given elsewhere.
_OPERATIONS = {
    "chat": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
    "messages": "chat",
    "responses": "chat",
}
_TOKENS = {"gen_ai.usage.input_tokens": "prompt_tokens", "gen_ai.usage.output_tokens": "completion_tokens"}


def of_upstream(settings: UpstreamSettings) -> Attributes:
    """Give what every call of an upstream has in common; a server that speaks the OpenAI API counts as `openai`."""
    if isinstance(settings, HttpUpstream):
        model = {"gen_ai.request.model": settings.model} if settings.model else {}
        return {"gen_ai.provider.name": "openai", **model, **_address(settings.base_url)}
    if isinstance(settings, LitellmUpstream):
        provider = settings.model.partition("/")[0] if "/" in settings.model else "openai"
        name = _PROVIDERS.get(provider, provider)
        return {"gen_ai.provider.name": name, "gen_ai.request.model": settings.model, **_address(settings.base_url)}
    return {"gen_ai.provider.name": "llama_cpp" if isinstance(settings, LocalUpstream) else "scripted"}


def of_request(method: str, path: str, endpoint: str) -> Attributes:
    """Give what is known of a request from its first line; `path` is one of ours."""
    return {
        "http.request.method": method,
        "http.route": path,
        "url.path": path,
        "url.scheme": "http",
        "gen_ai.operation.name": _operation(endpoint),
        "gen_ai.provider.name": "glasnost",
    }


def of_call(attempt: Attempt, api: str) -> Attributes:
    """Give what is known of an attempt before it is made."""
    return {
        "gen_ai.operation.name": _operation(api),
        "gen_ai.request.model": attempt.model,
        "glasnost.upstream": attempt.upstream,
        "glasnost.purpose": attempt.purpose,
        **({"glasnost.rung": attempt.rung} if attempt.rung else {}),
    }


def of_attempt(attempt: Attempt) -> Attributes:
    """Give what came of an attempt; times are seconds."""
    facts: Attributes = {
        "glasnost.outcome": attempt.outcome,
        **_usage(attempt),
    }
    if attempt.verdict is not None:
        facts["glasnost.audit.duration"] = attempt.audit_seconds
    if attempt.first_token is not None:
        facts["gen_ai.response.time_to_first_chunk"] = attempt.first_token
    if attempt.held is not None:
        facts["glasnost.held.duration"] = attempt.held
    reasons = _finish_reasons(attempt)
    if reasons:
        facts["gen_ai.response.finish_reasons"] = reasons
    if attempt.error is not None:
        facts["error.type"] = outcome_of(attempt)
    return facts


def of_exchange(exchange: Exchange) -> Attributes:
    """Give what became of an exchange."""
    facts: Attributes = {
        "gen_ai.operation.name": _operation(exchange.endpoint),
        "gen_ai.request.model": exchange.model,
        "gen_ai.request.stream": exchange.mode not in ("unary", "given"),
        "glasnost.id": exchange.id,
        "glasnost.mode": exchange.mode,
        "glasnost.policy": exchange.policy_hash,
        "glasnost.outcome": exchange.outcome,
        "glasnost.action": exchange.action.value,
        "glasnost.topics": exchange.topics,
        "glasnost.attempts": len(exchange.attempts),
    }
    if exchange.verdict is not None:
        facts["glasnost.verdict"] = exchange.verdict.label.value
    if exchange.key is not None:
        facts["glasnost.key"] = exchange.key.id
    if exchange.after_release is not None:
        facts["glasnost.after_release"] = exchange.after_release
    if exchange.first_token is not None:
        facts["gen_ai.response.time_to_first_chunk"] = exchange.first_token
    return facts | _served(exchange)


def of_verdict(verdict: Verdict) -> Attributes:
    """Give a verdict as the conventions' result of an evaluation; its explanation quotes nothing of the answer."""
    on = ", ".join(verdict.topics) or "no topic"
    return {
        "gen_ai.evaluation.name": EVALUATES,
        "gen_ai.evaluation.score.label": verdict.label.value,
        "gen_ai.evaluation.score.value": verdict.probability,
        "gen_ai.evaluation.explanation": f"{verdict.label.value} on {on}, by {verdict.detector}",
        "glasnost.censored": verdict.censored,
        "glasnost.policy": verdict.policy_hash,
    }


def of_consultation(asked: Consultation) -> Attributes:
    """Give a second opinion that was asked for."""
    return {
        "glasnost.source": asked.source,
        "gen_ai.request.model": asked.model,
        "glasnost.result": asked.result,
        "glasnost.duration": asked.seconds,
    }


def _served(exchange: Exchange) -> Attributes:
    """Give model, tokens and ends of the answer that went out; one that was withheld ended by a filter."""
    if exchange.outcome == "blocked":
        return {"gen_ai.response.finish_reasons": ("content_filter",)}
    if not exchange.served_by:
        return {}
    facts: Attributes = {"gen_ai.response.model": exchange.served_by}
    given = [each for each in exchange.attempts if each.model == exchange.served_by and each.purpose == "answer"]
    if exchange.outcome == "served" and given:
        facts |= _usage(given[-1])
        if given[-1].held is not None:
            facts["glasnost.held.duration"] = given[-1].held
        facts["gen_ai.response.finish_reasons"] = _finish_reasons(given[-1])
    return facts


def _usage(attempt: Attempt) -> Attributes:
    usage: Mapping[str, Any] = attempt.usage or {}
    counts = {name: usage[field] for name, field in _TOKENS.items() if isinstance(usage.get(field), int)}
    return {**counts, "glasnost.usage.estimated": True} if counts and usage.get("estimated") else {**counts}


def _finish_reasons(attempt: Attempt) -> tuple[str, ...]:
    # A word of the upstream's own is of no use to whoever counts reasons, and could be any text.
    known = ("stop", "length", "tool_calls", "function_call", "content_filter")
    reasons = (answer.finish_reason for answer in attempt.answers)
    return tuple(each if each in known else "other" for each in reasons if each)


def _operation(api: str) -> str:
    return _OPERATIONS.get(api, "audit")


def _address(url: str | None) -> Attributes:
    if url is None:
        return {}
    parts = urlsplit(url)
    facts: Attributes = {"server.address": parts.hostname or ""}
    try:
        return {**facts, "server.port": parts.port or (443 if parts.scheme == "https" else 80)}
    except ValueError:  # a port that is none is told when it is asked
        return facts
