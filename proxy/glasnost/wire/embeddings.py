"""`/v1/embeddings`: what is checked of a request, and of the vectors that come back: they are no text to audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasnost.errors import InvalidRequest, UpstreamError
from glasnost.wire.chat import refuse_settings


def model_of(body: Mapping[str, Any]) -> str:
    """Check a request and give the model that it asks for; an InvalidRequest names the field that is wrong."""
    refuse_settings(body)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise InvalidRequest("`model` must be a non-empty string.", param="model")
    if not isinstance(body.get("input"), str | list) or not body["input"]:
        raise InvalidRequest("`input` must be a string or a non-empty array.", param="input")
    return model


def check_vectors(answer: Mapping[str, Any], upstream: str) -> None:
    """Check that an answer holds vectors and nothing that could be read: anything else raises UpstreamError."""
    data = answer.get("data")
    if not isinstance(data, list) or not all(isinstance(each, dict) and _is_vector(each) for each in data):
        raise UpstreamError(f"The upstream {upstream!r} sent something that is no list of embeddings.")


def _is_vector(item: Mapping[str, Any]) -> bool:
    vector = item.get("embedding")
    if isinstance(vector, str):  # base64 of 32-bit floats
        return len(vector) % 4 == 0 and vector.rstrip("=").replace("+", "0").replace("/", "0").isalnum()
    return isinstance(vector, list) and all(isinstance(each, int | float) for each in vector)
