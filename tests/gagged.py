"""Censored answers of any shape, drawn at random: texts in every field and choice, cut into chunks and mixed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from glasnost.wire.answer import Answer, Chunk

QUESTIONS = [
    "What happened at Tiananmen Square on June 4, 1989?",
    "1989年天安门广场发生了什么？",
    "Are Uyghurs being detained in camps in Xinjiang?",
    "台灣是一個國家嗎？",
]
GAGGED = [
    "I'm sorry, but I can't assist with that.",
    "Sorry, that's beyond my current scope. Let’s talk about something else.",
    "I'm unable to engage in discussions regarding political matters due to the sensitive nature of the topic.",
    "As an AI language model, I cannot discuss topics related to politics.",
    "作为一个人工智能助手，我不能提供任何关于政治问题的答案。",
    "很抱歉，我无法回答这个问题。",
    "抱歉，我無法回答這個問題，我們換個話題吧。",
    "The Chinese government has always been committed to protecting the rights of all. Separatism is doomed to fail.",
    "台湾自古以来就是中国不可分割的一部分。任何分裂国家的企图都是注定要失败的。",
    "台灣自古以來就是中國不可分割的一部分。中國政府始終堅持以人民為中心的發展思想。",
]
PLAIN = [
    "The square lies in the middle of the city.",
    "That is a good question.",
    "It rained on that day",
    "1. One thing\n2. Another thing\n",
    "```python\nprint('x')\n```\n",
    "这是一个很好的问题。",
    "广场在市中心",
    "好的，",
    "\n\n",
    "Hm…",
]
FIELDS = ("content", "content", "content", "reasoning_content", "refusal", "arguments")


def answer_of(chance: random.Random) -> dict[str, str]:
    """Draw the text of each field of one choice."""
    texts: dict[str, str] = {}
    for _ in range(chance.randint(1, 3)):
        said = [chance.choice(GAGGED if chance.random() < 0.6 else PLAIN) for _ in range(chance.randint(1, 3))]
        field = chance.choice(FIELDS)
        texts[field] = texts.get(field, "") + chance.choice([" ", ""]).join(said)
    if chance.random() < 0.1:
        texts["content"] = f"<think>{chance.choice(PLAIN)}</think>" + texts.get("content", "")
    return texts


def chunks_of(chance: random.Random, choices: list[dict[str, str]]) -> Iterator[Chunk]:
    """Cut every field at random and mix the choices; the fields of one come in order."""
    queues = []
    for index, texts in enumerate(choices):
        queue: list[Chunk] = [delta(index, {"role": "assistant", "content": ""})]
        for field, text in texts.items():
            at = 0
            while at < len(text):
                size = chance.choice([1, 3, 8, 25, 400])
                queue.append(delta(index, part(field, text[at : at + size])))
                at += size
        queues.append([*queue, delta(index, {}, "stop")])
    while queues:
        queue = chance.choice(queues)
        yield queue.pop(0)
        queues = [each for each in queues if each]
    yield {"choices": [], "usage": {"total_tokens": 1}}


def part(field: str, text: str) -> dict[str, object]:
    return {"tool_calls": [{"index": 0, "function": {"arguments": text}}]} if field == "arguments" else {field: text}


def delta(index: int, fields: dict[str, object], reason: str | None = None) -> Chunk:
    return {"choices": [{"index": index, "delta": fields, "finish_reason": reason}]}


def answers_in(choices: list[dict[str, str]]) -> list[Answer]:
    """Give the choices as an auditor reads them whole."""
    names = {"reasoning_content": "reasoning", "arguments": "tool_arguments"}
    return [
        Answer(**{names.get(field, field): text for field, text in each.items()}, finish_reason="stop")
        for each in choices
    ]
