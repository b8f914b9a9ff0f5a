"""The error object of the OpenAI API, made from any of our exceptions."""

from __future__ import annotations

from typing import Any

from glasnost.errors import AnswerStopped, GlasnostError, UpstreamRejected

# openai-python gives up retrying when Retry-After is above two minutes.
MAX_RETRY_AFTER = 120


def error_object(error: BaseException) -> dict[str, Any]:
    """Give `{"message", "type", "param", "code", "src"}`; the text of an unexpected exception is never shown."""
    if not isinstance(error, GlasnostError):
        return {
            "message": "Internal error.",
            "type": "server_error",
            "param": None,
            "code": "internal_error",
            "src": "glasnost",
        }
    body = {
        "message": str(error),
        "type": error.type,
        "param": error.param,
        "code": error.code,
        "src": error.src,
    }
    if isinstance(error, UpstreamRejected):
        body.update({key: value for key, value in error.error.items() if key in ("message", "type", "param", "code")})
    return body


def error_body(error: BaseException) -> dict[str, Any]:
    """Give the whole body, `{"error": {...}}`, with the `glasnost` object where the error is a verdict's."""
    return {"error": error_object(error), **verdict_in(error)}


def verdict_in(error: BaseException) -> dict[str, Any]:
    """Give `{"glasnost": {...}}` for an error that ends an answer because of its verdict, nothing for others."""
    return {"glasnost": error.glasnost} if isinstance(error, AnswerStopped) else {}


def error_headers(error: BaseException) -> dict[str, str]:
    """Give the headers that go with an error: `retry-after` in whole seconds where one is known, an upstream's own."""
    headers = dict(error.headers) if isinstance(error, UpstreamRejected) else {}
    retry_after = error.retry_after if isinstance(error, GlasnostError) else None
    if retry_after is None:
        return headers
    if retry_after > MAX_RETRY_AFTER:
        headers.pop("retry-after-ms", None)
    return {**headers, "retry-after": str(min(max(1, retry_after), MAX_RETRY_AFTER))}
