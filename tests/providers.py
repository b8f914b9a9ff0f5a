"""Three servers that speak the wire formats of OpenAI, Anthropic and Ollama, and answer the same by what is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from loopback import Handler, Peer, chunk, completion

THOUGHT = "France, then."
PARIS = ["The capital ", "of France ", "is Paris."]
ARGUMENTS = ['{"city": ', '"Paris"}']


@dataclass(frozen=True)
class Provider:
    """One wire format: LiteLLM's name for the model, the base address below the server's root, and the server."""

    name: str
    model: str
    base: str
    path: str
    serve: Handler
    error: Any


def asked(peer: Peer) -> str:
    """Give the last turn, whichever format it is in."""
    content = peer.json["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


# OpenAI


async def serve_openai(peer: Peer) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "".join(ARGUMENTS)}}
    usage = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    prompt = asked(peer)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(PARIS)}
    if "weather" in prompt:
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    if "think" in prompt:
        message["reasoning_content"] = THOUGHT
    finish = "tool_calls" if "weather" in prompt else "length" if "long" in prompt else "stop"
    if not peer.json.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": finish}
        await peer.answer({**completion(), "choices": [choice], "usage": usage})
        return
    await peer.events()
    for delta in openai_deltas(message, call):
        await peer.event(chunk(delta))
        if "break" in prompt:
            peer.writer.close()
            return
    await peer.event(chunk({}, finish))
    await peer.event({**chunk({}), "choices": [], "usage": usage})
    await peer.event(b"[DONE]")
    peer.writer.close()


def openai_deltas(message: dict[str, Any], call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    if "reasoning_content" in message:
        yield {"reasoning_content": message["reasoning_content"]}
    if "tool_calls" in message:
        first, second = ARGUMENTS
        yield {"tool_calls": [{"index": 0, **call, "function": {"name": "look_up", "arguments": first}}]}
        yield {"tool_calls": [{"index": 0, "function": {"arguments": second}}]}
        return
    for piece in PARIS:
        yield {"content": piece}


# Anthropic


async def serve_anthropic(peer: Peer) -> None:
    prompt = asked(peer)
    thinking = [("thinking", THOUGHT)] if "think" in prompt else []
    said = [("tool_use", ARGUMENTS)] if "weather" in prompt else [("text", PARIS)]
    reason = "tool_use" if "weather" in prompt else "max_tokens" if "long" in prompt else "end_turn"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_sequence": None}
    blocks = [anthropic_block(kind, value) for kind, value in [*thinking, *said]]
    if not peer.json.get("stream"):
        usage = {"input_tokens": 9, "output_tokens": 7}
        await peer.answer({**message, "content": blocks, "stop_reason": reason, "usage": usage})
        return
    await peer.events()
    opened = {**message, "content": [], "stop_reason": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
    await named(peer, {"type": "message_start", "message": opened})
    for index, (kind, value) in enumerate([*thinking, *said]):
        empty = {**anthropic_block(kind, value), **({"input": {}} if kind == "tool_use" else {kind: ""})}
        await named(peer, {"type": "content_block_start", "index": index, "content_block": empty})
        for piece in [value] if isinstance(value, str) else value:
            await named(peer, {"type": "content_block_delta", "index": index, "delta": anthropic_delta(kind, piece)})
            if "break" in prompt:
                peer.writer.close()
                return
        await named(peer, {"type": "content_block_stop", "index": index})
    last = {"stop_reason": reason, "stop_sequence": None}
    await named(peer, {"type": "message_delta", "delta": last, "usage": {"output_tokens": 7}})
    await named(peer, {"type": "message_stop"})
    peer.writer.close()


def anthropic_block(kind: str, value: Any) -> dict[str, Any]:
    if kind == "tool_use":
        return {"type": kind, "id": "toolu_1", "name": "look_up", "input": json.loads("".join(value))}
    extra = {"signature": "sig"} if kind == "thinking" else {}
    return {"type": kind, kind: "".join(value), **extra}


def anthropic_delta(kind: str, piece: str) -> dict[str, Any]:
    if kind == "tool_use":
        return {"type": "input_json_delta", "partial_json": piece}
    return {"type": f"{kind}_delta", kind: piece}


async def named(peer: Peer, event: dict[str, Any]) -> None:
    await peer.send(f"event: {event['type']}\n".encode())
    await peer.event(event)


# Ollama


async def serve_ollama(peer: Peer) -> None:
    prompt = asked(peer)
    common = {"model": "qwen3", "created_at": "2026-01-01T00:00:00Z"}
    end = {"prompt_eval_count": 9, "eval_count": 7, "done_reason": "length" if "long" in prompt else "stop"}
    call = {"function": {"name": "look_up", "arguments": json.loads("".join(ARGUMENTS))}}
    pieces: list[dict[str, Any]] = [{"thinking": THOUGHT, "content": ""}] if "think" in prompt else []
    if "weather" in prompt:
        pieces.append({"content": "", "tool_calls": [call]})
    else:
        pieces += [{"content": piece} for piece in PARIS]
    if not peer.json.get("stream"):
        whole = {"role": "assistant", "content": "".join(piece["content"] for piece in pieces)}
        rest = {name: value for piece in pieces for name, value in piece.items() if name != "content"}
        await peer.answer({**common, "message": {**whole, **rest}, "done": True, **end})
        return
    await peer.head(content_type="application/x-ndjson", connection="close")
    for piece in pieces:
        line = {**common, "message": {"role": "assistant", **piece}, "done": False}
        await peer.send(json.dumps(line).encode() + b"\n")
        if "break" in prompt:
            peer.writer.close()
            return
    line = {**common, "message": {"role": "assistant", "content": ""}, "done": True, **end}
    await peer.send(json.dumps(line).encode() + b"\n")
    peer.writer.close()


PROVIDERS = [
    Provider("openai", "openai/real", "/v1", "/v1/chat/completions", serve_openai, {"error": {"message": "no"}}),
    Provider(
        "anthropic",
        "anthropic/claude-sonnet-4-5",
        "",
        "/v1/messages",
        serve_anthropic,
        {"type": "error", "error": {"type": "api_error", "message": "no"}},
    ),
    Provider("ollama", "ollama_chat/qwen3", "", "/api/chat", serve_ollama, {"error": "no"}),
]
