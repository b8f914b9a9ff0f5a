"""What adapters and control vectors change is what llama.cpp's own functions say, whoever else is computed.

Each scenario has a context of its own, so that nothing but what it names can make a difference: the weights' rounding
turns any other order of sums into another text.
"""

from __future__ import annotations

import asyncio

import llama_cpp
import pytest

from adapter_files import adapters, control_vector
from glasnost.engine.events import End
from glasnost.engine.llama import Context, Model
from glasnost.engine.llama.embedder import Embedder, Pool
from glasnost.engine.params import Sampling
from glasnost.engine.settings import ControlVector, EngineSettings, Lora
from glasnost.engine.step import Span
from glasnost.engine.worker import Worker

pytestmark = pytest.mark.model

GREEDY = Sampling(temperature=0, max_tokens=10)
NONE, FIRST, SECOND, HALF, BOTH = (), ((0, 1.0),), ((1, 1.0),), ((0, 0.5),), ((0, 1.0), (1, -0.5))
SETS = (NONE, FIRST, SECOND, HALF)
PROMPT = "<|im_start|>user\nWrite a haiku about the sea.<|im_end|>\n<|im_start|>assistant\n"


def settings(path, **changes):
    return EngineSettings(path=path, name="m", slots=4, context=512, threads=2, **changes)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return adapters(tmp_path_factory.mktemp("adapters"), 1, 2)


@pytest.fixture(scope="module")
def adapted(smollm_path, files):
    given = settings(smollm_path, loras=tuple(Lora(path.stem, path) for path in files))
    model = Model(given)
    yield model, given
    model.close()


def run(model, given, *rounds):
    """Give for each round of sets, each submitted at once, their tokens and how much of the prompt was cached."""

    async def one(worker, prompt, adapters):
        with worker.submit(prompt, GREEDY, 1, adapters=adapters) as ticket:
            sequence = next(reversed(worker._generations))
            while not any(isinstance(event, End) for event in await ticket.events()):
                pass
        return sequence.tokens[len(prompt) :], sequence.reused

    async def every():
        worker = Worker(model, Context(model, given), given)
        worker.start()
        prompt = model.tokenize(PROMPT)
        try:
            return [await asyncio.gather(*(one(worker, prompt, adapters) for adapters in sets)) for sets in rounds]
        finally:
            worker.close()

    return asyncio.run(every())


def alone(model, given, adapters=NONE):
    return run(model, given, [adapters])[0][0][0]


def reference(path, prompt, **options):
    """Give what llama-cpp-python's own `Llama` says."""
    llama = llama_cpp.Llama(str(path), n_ctx=512, n_threads=2, flash_attn=True, verbose=False, **options)
    found = []
    for token in llama.generate(prompt, temp=0.0, repeat_penalty=1.0):
        found.append(token)
        if llama_cpp.llama_vocab_is_eog(llama._model.vocab, token) or len(found) == GREEDY.max_tokens:
            break
    llama.close()
    return found


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_an_adapter_does_what_it_does_in_llama(adapted, files, smollm_path, scale):
    model, given = adapted
    expected = reference(smollm_path, model.tokenize(PROMPT), lora_path=str(files[0]), lora_scale=scale)
    assert alone(model, given, ((0, scale),)) == expected


def test_an_engine_with_adapters_that_are_not_asked_for_is_one_without(adapted, smollm_path):
    model, given = adapted
    plain = settings(smollm_path)
    bare = Model(plain)
    expected = alone(bare, plain)
    bare.close()
    assert alone(model, given) == expected
    assert alone(model, given, FIRST) != expected


def test_sets_at_the_same_time_give_what_each_gives_alone(adapted):
    model, given = adapted
    expected = [alone(model, given, adapters) for adapters in SETS]
    assert len({tuple(tokens) for tokens in expected}) == len(SETS)
    together = run(model, given, SETS)[0]
    assert [tokens for tokens, _ in together] == expected


def test_what_one_set_left_in_the_cache_is_not_used_by_another(adapted):
    model, given = adapted
    expected = [alone(model, given, adapters) for adapters in SETS]
    found = run(model, given, *([adapters] for adapters in (*SETS, FIRST)))
    tokens, reused = zip(*(each for (each,) in found), strict=True)
    assert list(tokens[:-1]) == expected
    assert reused[:-1] == (0, 0, 0, 0)
    assert reused[-1] == len(model.tokenize(PROMPT)) - 1, "the same set finds its own"


def test_adapters_add_up(adapted):
    model, given = adapted
    assert alone(model, given, BOTH) not in [alone(model, given, adapters) for adapters in SETS]


def test_control_vectors_change_the_answer_by_their_scale_and_layers(smollm_path, tmp_path):
    one = control_vector(1).write(tmp_path / "one.gguf")

    def answer(*vectors, layers=None):
        given = settings(smollm_path, control_vectors=vectors, control_layers=layers)
        model = Model(given)
        try:
            return alone(model, given)
        finally:
            model.close()

    plain, steered = answer(), answer(ControlVector(one))
    assert steered != plain
    assert answer(ControlVector(one, 0.0)) == plain
    assert answer(ControlVector(one), ControlVector(one, -1.0)) == plain, "they are added up"
    assert answer(ControlVector(one), layers=(25, 29)) == plain, "it has no direction for these layers"
    assert answer(ControlVector(one), layers=(8, 19)) == steered


def test_control_vectors_change_embeddings_too(smollm_path, tmp_path):
    one = control_vector(1).write(tmp_path / "one.gguf")

    def vector(scale):
        given = settings(smollm_path, control_vectors=(ControlVector(one, scale),))
        model = Model(given)
        embedder, pool = Embedder(model, given, longest=64, batch=32), Pool("mean")
        tokens = model.tokenize("The sea is calm.")
        embedder.compute([Span(0, 0, tokens, sampled=True)], [pool], NONE, fresh=True)
        embedder.close()
        model.close()
        return pool.vector()

    assert vector(0.0) != vector(1.0)
