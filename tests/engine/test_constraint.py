"""A grammar at work on one sequence: nothing that does not fit reaches llama.cpp, which would end the process."""

from __future__ import annotations

import numpy as np
import pytest

from glasnost.engine.grammar import Grammar
from glasnost.engine.llama.constrained import ConstrainedSampler
from glasnost.engine.llama.constraint import Constraint
from glasnost.engine.params import Sampling
from glasnost.errors import InvalidRequest

pytestmark = pytest.mark.model

TEXT = Grammar('root ::= "a" [^b]{2} "c"\n')
LAZY = Grammar('root ::= "<x" [0-9] ">"\n', triggers=(r"<x",))


@pytest.fixture
def make(model):
    made = []

    def constraint(grammar):
        made.append(Constraint(model, grammar))
        return made[-1]

    yield constraint
    for each in made:
        each.close()


def token(model, text):
    [found] = model.tokenize(text)
    return found


@pytest.mark.parametrize("text", ["root ::= missing\n", 'other ::= "a"\n', "root ::= (\n", "root ::= root\n"])
def test_what_is_no_grammar_is_refused(make, text):
    with pytest.raises(InvalidRequest) as refused:
        make(Grammar(text))
    assert refused.value.code == "invalid_grammar"


def test_what_does_not_fit_changes_nothing(model, make):
    state = make(TEXT)
    taken, refused = b"a\xc3\xa9xc", (b"b", b"b\xa9", b"bx\xc3", b"b\xa9", b"bx")
    for byte, others in zip(taken, refused, strict=True):
        assert not any(state.take(model.byte_tokens[other]) for other in others)
        assert state.take(model.byte_tokens[byte])
    assert state.take(model.end)


def test_an_answer_may_not_end_before_the_grammar_does(model, make):
    state = make(TEXT)
    assert not state.take(model.end)
    assert state.take(model.byte_tokens[ord("a")])
    assert not state.take(model.end)


def test_a_token_that_triggers_and_does_not_fit_leaves_the_answer_free(model, make):
    state = make(LAZY)
    assert all(state.take(model.byte_tokens[byte]) for byte in b"say <")
    assert not state.take(token(model, "xml"))
    assert all(state.take(model.byte_tokens[byte]) for byte in b"b <x7>")
    assert not state.take(model.byte_tokens[ord("!")])
    assert state.take(model.end)


def test_all_of_a_free_answer_may_be_drawn(model, make):
    logits = np.zeros(model.vocabulary, np.float32)
    ids = np.arange(model.vocabulary, dtype=np.int32)
    assert np.array_equal(make(LAZY).mask(logits, ids), logits)
    assert (make(TEXT).mask(logits, ids) == -np.inf).sum() > model.vocabulary * 0.9


@pytest.mark.parametrize("temperature", [0, 1])
def test_an_answer_that_no_token_can_go_on_with_is_cut(model, temperature):
    # This vocabulary has no token for the first byte of that character.
    constraint = Constraint(model, Grammar("root ::= [\\U00050000]\n"))
    sampling = Sampling(temperature=temperature, frequency_penalty=1.0)
    sampler = ConstrainedSampler(constraint, lambda _: np.zeros(model.vocabulary, np.float32), 64, sampling, 1)
    assert sampler.sample(0) is None
    sampler.close()


@pytest.mark.parametrize("wanted", [{"logit_bias": ((5, 3.0),)}, {"repeat_penalty": 1.5}, {"top_k": 3}, {"min_p": 0.2}])
@pytest.mark.parametrize("temperature", [0, 1])
def test_every_way_of_choosing_keeps_to_the_grammar(model, temperature, wanted):
    random = np.random.default_rng(3)
    drawn = [random.normal(size=model.vocabulary).astype(np.float32) for _ in range(5)]
    sampler = ConstrainedSampler(
        Constraint(model, TEXT), drawn.__getitem__, 64, Sampling(temperature=temperature, **wanted), 1
    )
    text = b""
    for row in range(5):
        chosen = sampler.sample(row)
        if model.ends(chosen):
            break
        text += model.piece(chosen)
    sampler.close()
    assert text.startswith(b"a")
    assert len(text.decode()) <= 4
