"""Openings that refuse, in any tokens, and where an answer's opening begins."""

from __future__ import annotations

import pytest

from glasnost.engine.opening import OPENING_TOKENS, Distribution, Opening
from glasnost.engine.reasoning import NO_THINKING, Thinking
from glasnost.engine.refusals import Following, Refusals

PIECES = [b"I", b" I", b"I'm", b" sorry", b" so", b"rry", b"Sorry", b"Sorry,", b"S", b"\xe6\x8a", b"\xb1\xe6\xad\x89"]
PIECES += ["抱".encode(), "歉".encode(), b"", b" think", "I’m".encode(), b"<think>", b"</think>", b"\n\n", b"So"]
TOKEN = {piece: token for token, piece in enumerate(PIECES)}


class Vocabulary:
    def pieces(self):
        return iter(PIECES)


class Logits:
    """Gives each token the share that it has in `shares`."""

    def __init__(self, **shares):
        self.shares = {name.encode(): share for name, share in shares.items()}
        self.asked = 0

    def distribution(self, _row, token, groups):
        self.asked += 1
        share = [self.shares.get(piece, 0.0) for piece in PIECES]
        return Distribution(share[token], tuple(sum(share[each] for each in group) for group in groups), 2.0)


def refusals(*openings):
    return Refusals(Vocabulary(), openings)


def watched(pieces, logits, thinking=NO_THINKING, openings=("I'm sorry", "Sorry", "抱歉")):
    opening = Opening(0, thinking, refusals(*openings))
    told = [opening.see(0, TOKEN[piece], piece, logits) for piece in pieces]
    return [signals for signals in [*told, opening.finish()] if signals is not None]


@pytest.mark.parametrize(
    ("said", "keeping", "completing"),
    [
        (b"", [b"I", b" I", b"I'm", "I’m".encode(), b"S", b"So"], [b"Sorry", b"Sorry,"]),
        (b"I'm", [b" so"], [b" sorry"]),
        ("I’m".encode(), [b" so"], [b" sorry"]),
        (b"I'm so", [], [b"rry"]),
        (b"So", [], [b"rry"]),
        (b"Sorry", [], []),
        (b"I think", [], []),
    ],
)
def test_any_spelling_in_tokens_counts(said, keeping, completing):
    following = refusals("I'm sorry", "Sorry").following(said)
    assert {PIECES[token] for token in following.keeping} == set(keeping)
    assert {PIECES[token] for token in following.completing} == set(completing)


def test_characters_may_be_split():
    following = refusals("抱歉").following(b"\xe6\x8a")
    assert following == Following((), (TOKEN[b"\xb1\xe6\xad\x89"],))


def test_the_mass_is_that_of_the_openings_along_what_was_said():
    logits = Logits(**{"I'm": 0.6, "Sorry": 0.1, " sorry": 0.5, " think": 0.4, " so": 0.1})
    (signals,) = watched([b"I'm", b" think"], logits)
    assert signals.refusal_by_token == pytest.approx((0.7, 0.6))
    assert signals.refusal_mass == pytest.approx(0.1 + 0.6 * 0.5)


def test_behind_a_whole_opening_nothing_is_added():
    (signals,) = watched([b"Sorry", b" think"], Logits(Sorry=0.9))
    assert (signals.refusal_mass, len(signals.refusal_by_token)) == (pytest.approx(0.9), 1)


def test_thinking_and_white_space_are_no_opening():
    logits = Logits(Sorry=0.9)
    pieces = [b"<think>", b" so", b" think", b"</think>", b"\n\n", b"Sorry"]
    (signals,) = watched(pieces, logits, Thinking())
    assert (signals.tokens, signals.refusal_mass, signals.empty_thinking) == (1, pytest.approx(0.9), False)
    assert logits.asked == 3  # where the thinking opened, and behind it


def test_empty_thinking_is_told():
    (signals,) = watched([b"<think>", b"\n\n", b"</think>", b"\n\n", b"Sorry"], Logits(Sorry=0.5), Thinking())
    assert signals.empty_thinking


def test_an_opening_may_begin_within_a_character():
    (signals,) = watched([b"\xe6\x8a", b"\xb1\xe6\xad\x89"], Logits(), Thinking())
    assert signals.tokens == 2


def test_the_signals_are_told_once_the_opening_is_over():
    opening = Opening(1, NO_THINKING, refusals("Sorry"))
    told = [opening.see(0, TOKEN[b"I"], b"I", Logits(I=0.2)) for _ in range(OPENING_TOKENS + 5)]
    (at,) = [index for index, signals in enumerate(told) if signals is not None]
    assert at == OPENING_TOKENS - 1
    assert (told[at].choice, told[at].tokens, told[at].entropy) == (1, OPENING_TOKENS, pytest.approx(2.0))
    assert opening.finish() is None


def test_an_answer_without_a_token_has_no_opening():
    (signals,) = watched([], Logits())
    assert (signals.tokens, signals.entropy, signals.refusal_mass) == (0, 0.0, 0.0)
