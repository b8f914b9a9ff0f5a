"""What the engine says alone is what llama-cpp-python's own `Llama` says."""

from __future__ import annotations

import asyncio

import llama_cpp
import pytest

from glasnost.engine.events import End
from glasnost.engine.llama import Context, Model
from glasnost.engine.params import Sampling
from glasnost.engine.settings import EngineSettings
from glasnost.engine.worker import Worker

pytestmark = pytest.mark.model

TOKENS = 24
QUESTIONS = (
    "What is the capital of France?",
    "Write a haiku about the sea.",
    "How do I sort a list in Python?",
    "用中文介绍一下长城。",
)


def reference(path, prompts):
    """Give the tokens that `Llama` chooses greedily."""
    # Rows below 64, as in the engine: from there on llama.cpp's attention rounds in another way.
    rows = {"n_batch": 512, "n_ubatch": 56}
    llama = llama_cpp.Llama(str(path), n_ctx=1024, n_threads=1, flash_attn=True, verbose=False, **rows)
    answers = []
    for prompt in prompts:
        llama.reset()
        llama._ctx.kv_cache_clear()
        tokens = []
        for token in llama.generate(prompt, temp=0.0, repeat_penalty=1.0):
            tokens.append(token)
            if token == llama.token_eos() or len(tokens) == TOKENS:
                break
        answers.append(tokens)
    llama.close()
    return answers


@pytest.mark.parametrize("name", ["smollm", "qwen"])
def test_greedy_answers_equal_those_of_llama(name, request):
    path = request.getfixturevalue(f"{name}_path")
    settings = EngineSettings(path=path, name="m", slots=1, context=1024, threads=1)

    async def answers():
        model = Model(settings)
        prompts = [model.tokenize(f"<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n") for q in QUESTIONS]
        found = []
        for prompt in prompts:
            # A context of its own: nothing is reused, as in a Llama that was reset.
            worker = Worker(model, Context(model, settings), settings)
            found.append(await generate(worker, prompt))
        model.close()
        return prompts, found

    prompts, found = asyncio.run(answers())
    assert found == reference(path, prompts)


async def generate(worker, prompt):
    worker.start()
    with worker.submit(prompt, Sampling(temperature=0, max_tokens=TOKENS), 1) as ticket:
        sequence = next(iter(worker._generations))
        while not any(isinstance(event, End) for event in await ticket.events()):
            pass
    worker.close()
    return sequence.tokens[len(prompt) :]
