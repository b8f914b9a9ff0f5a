"""The end of a stream: kept until it is whole, and its last chunk carries the verdict."""

from glasnost.pipeline.tail import Tail
from glasnost.wire.chunk import Frame

FRAME = Frame("id", 1, "m")
TEXT = FRAME.chunk({"content": "x"})
END = FRAME.chunk({}, finish_reason="stop")
USAGE = FRAME.usage({"total_tokens": 3})
VERDICT = {"label": "complete"}


def play(tail, *chunks):
    passed = [chunk for chunk in chunks if tail.pass_on(chunk)]
    return passed, list(tail.close(VERDICT))


def test_text_passes_and_the_finish_chunk_waits_for_the_verdict():
    assert play(Tail(1, include_usage=False), TEXT, END) == ([TEXT], [{**END, "glasnost": VERDICT}])


def test_usage_that_was_asked_for_is_the_last_chunk_and_otherwise_is_dropped():
    assert play(Tail(1, include_usage=True), TEXT, END, USAGE) == ([TEXT], [END, {**USAGE, "glasnost": VERDICT}])
    assert play(Tail(1, include_usage=False), TEXT, END, USAGE) == ([TEXT], [{**END, "glasnost": VERDICT}])


def test_of_several_choices_the_last_to_end_opens_the_tail():
    other = FRAME.chunk({"content": "y"}, index=1)
    other_end = FRAME.chunk({}, index=1, finish_reason="stop")
    passed, kept = play(Tail(2, include_usage=False), TEXT, END, other, other_end)
    assert passed == [TEXT, END, other]
    assert kept == [{**other_end, "glasnost": VERDICT}]


def test_an_upstream_that_names_fewer_choices_still_gets_its_verdict_out():
    passed, kept = play(Tail(2, include_usage=False), TEXT, END)
    assert passed == [TEXT, END]
    assert kept == [{**FRAME.bare([]), "glasnost": VERDICT}]


def test_a_withheld_answer_ends_every_choice_as_filtered():
    tail = Tail(2, include_usage=False)
    tail.pass_on(TEXT)
    tail.withhold("No.", 2)
    chunks = list(tail.close(VERDICT))
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [
        None,
        None,
        "content_filter",
        "content_filter",
    ]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "refusal": "No."}
    assert chunks[-1]["glasnost"] == VERDICT
