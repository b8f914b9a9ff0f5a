"""How a stream is treated: by topic, pack, model, key and request."""

from dataclasses import replace

import pytest

from glasnost.audit.rules import StreamRules
from glasnost.audit.stream import StreamAudit
from glasnost.config import StreamSettings, TopicStream
from glasnost.policy.policy import build_policy
from glasnost.policy.topic import Match, Phrase
from glasnost.wire.conversation import Conversation
from harbour import harbour_policy
from packs import compiled

ON, OFF = ("test.harbour",), ()


def rules(*asked, **settings):
    return StreamRules(StreamSettings(**settings), asked)


@pytest.mark.parametrize(
    ("said_by_topic", "asked", "setting", "expected"),
    [
        ("{}", (), "hold", "hold"),
        ("{}", (), "window", "window"),
        ("{mode: window}", (), "hold", "window"),
        ("{mode: full}", (), "hold", "full"),
        ("{mode: window}", ("hold",), "observe", "hold"),
        ("{}", ("observe",), "hold", "observe"),
        ("{}", ("observe", "full"), "hold", "full"),
        ("{mode: observe}", (), "full", "full"),
        ("{mode: full}", ("observe",), "observe", "full"),
    ],
)
def test_the_tightest_mode_that_anybody_says_counts_and_otherwise_the_setting(said_by_topic, asked, setting, expected):
    policy = harbour_policy(stream=said_by_topic)
    assert rules(*asked, mode=setting).mode(policy, ON) == expected


@pytest.mark.parametrize(
    ("asked", "setting", "expected"), [((), "hold", "observe"), (("full",), "hold", "full"), ((), "full", "full")]
)
def test_off_topics_nothing_is_held_unless_everything_is(asked, setting, expected):
    assert rules(*asked, mode=setting).mode(harbour_policy(stream="{mode: full}"), OFF) == expected


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ({"test": TopicStream(mode="window")}, "window"),
        ({"test": TopicStream(mode="window"), "test.harbour": TopicStream(mode="observe")}, "observe"),
        ({"test": TopicStream(mode="window"), "test.harbour": TopicStream(after_release="stop")}, "window"),
        ({"other": TopicStream(mode="window")}, "full"),
    ],
)
def test_the_configurations_word_on_a_topic_or_its_pack_replaces_the_files(configured, expected):
    policy = harbour_policy(stream="{mode: full}")
    assert rules(topics=configured).mode(policy, ON) == expected


def test_what_a_late_verdict_does_is_said_by_the_topic_its_configuration_or_the_setting():
    assert rules(after_release="amend").after_release(harbour_policy(), ON) == "amend"
    assert rules(after_release="amend").after_release(harbour_policy(), OFF) == "amend"
    stopping = harbour_policy(stream="{after_release: stop}")
    assert rules().after_release(stopping, ON) == "stop"
    assert rules(topics={"test": TopicStream(after_release="flag")}).after_release(stopping, ON) == "flag"


def test_a_topic_that_says_no_mode_is_not_loosened_by_a_wide_one_that_does():
    policy = compiled(("prc",))
    assert rules(mode="hold").mode(policy, ("prc.china",)) == "window"
    assert rules(mode="hold").mode(policy, ("prc.china", "prc.taiwan")) == "hold"
    assert rules("observe", mode="hold").mode(policy, ("prc.taiwan",)) == "observe"


def test_off_topics_a_window_is_held_where_the_answer_may_name_its_own_reason():
    policy = compiled(("general",))
    assert rules(mode="hold").mode(policy, OFF) == "window"
    assert rules(mode="observe").mode(policy, OFF) == "observe"


def test_an_answer_that_turns_to_a_narrower_topic_is_treated_as_that_one_asks():
    narrow = harbour_policy(stream="{mode: full}").topic("test.harbour")
    wide = replace(
        narrow, id="test.ports", match=Match((Phrase("en", "seaports"),)), facts=(), stream_mode="window", wide=True
    )
    audited = StreamAudit(build_policy([narrow, wide]), Conversation.ask("Which seaports are there?"), rules())
    assert audited.feed(piece("There are many. ")) != []
    audited.feed(piece("In one was the harbour strike. "))
    assert audited.topics == ("test.ports", "test.harbour")
    assert audited.feed(piece("It was in May. ")) == []
    assert audited.finish() != []


def piece(text):
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
