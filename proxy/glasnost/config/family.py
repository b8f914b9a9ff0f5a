"""Families of models: those that learned from the same data share their blind spots, so one does not judge another."""

from __future__ import annotations

import re

# A name of a family is one that its models carry, or that of a model which it was made from.
_FAMILIES = {
    "baichuan": "baichuan",
    "claude": "claude|anthropic",
    "command": r"command[-_]?(?:r|a)|cohere|aya",
    "deepseek": "deepseek",
    "doubao": "doubao|seed[-_]oss|bytedance",
    "ernie": "ernie|wenxin",
    "falcon": "falcon",
    "gemini": "gemini",
    "gemma": "gemma",
    "glm": "(?:chat)?glm|zhipu",
    "gpt": r"gpt|o[1345](?:-|$)|davinci|openai",
    "granite": "granite",
    "grok": "grok",
    "hunyuan": "hunyuan",
    "internlm": "internlm|internvl",
    "kimi": "kimi|moonshot|moonlight",
    "llama": "llama|vicuna",
    "minimax": "minimax|abab",
    "mistral": "(?:mi|mini|code|pix|magi|dev)stral|mixtral",
    "nova": "amazon[.]nova|nova-(?:micro|lite|pro|premier)",
    "olmo": "olmo",
    "phi": r"phi[- ]?\d",
    "qwen": "qwen|qwq|qvq|tongyi",
    "smollm": "smollm",
    "yi": r"yi-(?:\d|large|lightning|vl|coder)",
}
_FOUND = {family: re.compile(rf"(?<![a-z])(?:{names})") for family, names in _FAMILIES.items()}


def families_in(name: str) -> frozenset[str]:
    """Give the families that a model's name tells, more than one for what was distilled; none where it tells none."""
    # A name of a library or a format says nothing of the model: a server of llama.cpp serves any.
    told = re.sub(r"(?:llama[-_. ]?cpp|llama-server|ollama(?:_chat)?)", " ", name.lower())
    return frozenset(family for family, pattern in _FOUND.items() if pattern.search(told))
