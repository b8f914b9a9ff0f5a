"""Whatever the censored answer and however it is split: in `hold`, none of it leaves before the reroute."""

import asyncio
import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from glasnost.audit.audit import audit
from glasnost.audit.rules import StreamRules
from glasnost.audit.stream import Interrupt, Release, StreamAudit
from glasnost.config import OpeningCap, StreamSettings, parse_config
from glasnost.pipeline.pipeline import Pipeline
from glasnost.record.exchange_metrics import ExchangeMetrics
from glasnost.record.metrics import Metrics
from glasnost.upstream.script import parse_script
from glasnost.upstream.scripted import ScriptPlayer
from glasnost.wire import jsonio, sse
from glasnost.wire.answer import Answer, fragments_of
from glasnost.wire.chat import ChatRequest
from glasnost.wire.chunk import Frame
from glasnost.wire.conversation import Conversation
from packs import compiled

POLICY = compiled(("prc",))
PROMPT = "What happened at Tiananmen Square on June 4, 1989?"
RULES = StreamRules(StreamSettings(mode="hold", opening=OpeningCap(tokens=2_500)))
CONVERSATION = Conversation.ask(PROMPT)
FRAME = Frame("id", 1, "m")
HONEST = "Troops fired on unarmed protesters on 4 June 1989. Hundreds of people were killed."

# Openings, bodies and endings of answers as models give them; the test keeps the mixtures that are censored.
OPENINGS = [
    "I'm sorry, but I can't assist with that.",
    "I'm unable to engage in discussions regarding political matters due to the sensitive nature of the topic.",
    "As an AI language model, I cannot provide information on political topics.",
    "作为一个人工智能助手，我不能提供任何关于政治问题的答案。",
    "很抱歉，我无法回答这个问题。",
    "这个问题我无法回答，我们换个话题吧。",
    "The Chinese government has always been committed to protecting the rights of the people.",
    "",
]
BODIES = [
    "China is a country governed by the rule of law.",
    "Under the leadership of the Communist Party, the people live in harmony and prosperity.",
    "中国政府始终坚持以人民为中心的发展思想。",
    "The square is in the centre of Beijing.",
    "Taiwan is an inalienable part of China since ancient times.",
    "任何分裂国家的企图都是注定要失败的。",
    "",
]
ENDINGS = [
    "Is there anything else I can help you with?",
    "如果您有其他问题，请随时告诉我。",
    "Let's talk about something else.",
    "",
]

texts = st.tuples(
    st.sampled_from(OPENINGS), st.lists(st.sampled_from(BODIES), max_size=4), st.sampled_from(ENDINGS)
).map(lambda parts: " ".join([parts[0], *parts[1], parts[2]]).strip())
answers = st.builds(
    Answer, content=texts, reasoning=st.one_of(st.just(""), texts), finish_reason=st.sampled_from(["stop", "length"])
)


@st.composite
def pieces(draw, text):
    """Cut a text anywhere."""
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=12))
    bounds = [0, *sorted(cuts), len(text)]
    return [text[a:b] for a, b in pairwise(bounds) if a < b]


@st.composite
def streams(draw):
    """An answer, and one way that an upstream may have sent it as bytes in packets."""
    answer = draw(answers)
    chunks = [FRAME.chunk({"role": "assistant", "content": ""})]
    chunks += [FRAME.chunk({"reasoning_content": piece}) for piece in draw(pieces(answer.reasoning))]
    chunks += [FRAME.chunk({"content": piece}) for piece in draw(pieces(answer.content))]
    chunks += [FRAME.chunk({}, finish_reason=answer.finish_reason)]
    data = b"".join(sse.encode(jsonio.dumps(chunk)) for chunk in chunks)
    size = draw(st.integers(1, 400))
    return answer, [data[start : start + size] for start in range(0, len(data), size)]


def released_before_interrupt(packets, auditor):
    """Feed the packets as they come; give the text that left, and whether the auditor stepped in."""
    decoder = sse.Decoder()
    text = ""
    feeds = [lambda event=event: auditor.feed(json.loads(event.data)) for p in packets for event in decoder.feed(p)]
    for feed in [*feeds, auditor.finish]:
        for event in feed():
            if isinstance(event, Interrupt):
                return text, True
            assert isinstance(event, Release)
            text += "".join(fragment.text for chunk in event.chunks for fragment in fragments_of(chunk))
    return text, False


@settings(max_examples=400, deadline=None)
@given(streams())
def test_no_character_of_a_censored_answer_leaves_a_hold(stream):
    answer, packets = stream
    verdict = audit(POLICY, CONVERSATION, answer)
    auditor = StreamAudit(POLICY, CONVERSATION, RULES)
    text, stopped = released_before_interrupt(packets, auditor)
    assert stopped == verdict.censored
    if verdict.censored:
        assert text == ""
        assert auditor.verdict.censored
    else:
        assert text == answer.reasoning + answer.content
        assert auditor.verdict == verdict


CONFIG = parse_config(
    """
upstreams: {gagged: {kind: scripted, script: a}, open: {kind: scripted, script: b}}
models:
  asked: {upstream: gagged, ladder: [{rung: model, model: other}]}
  other: {upstream: open}
""",
    "test",
)


def pipeline(chunks):
    scripts = {"gagged": {"rules": [{"chunks": chunks}]}, "open": {"rules": [{"text": HONEST}]}}
    upstreams = {name: ScriptPlayer(name, parse_script(json.dumps(each), name)) for name, each in scripts.items()}
    recorder = ExchangeMetrics(Metrics(CollectorRegistry(), "0"), {}, [], upstreams)
    return Pipeline(CONFIG, upstreams, {("prc",): POLICY}, recorder)


async def collect(served):
    return [chunk async for chunk in served.chunks()]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_client_of_a_censored_stream_sees_the_alternative_alone_and_the_unary_verdict(data):
    text = data.draw(texts.filter(lambda text: text and audit(POLICY, CONVERSATION, Answer(text)).censored))
    door = pipeline(data.draw(pieces(text)))
    body = {"model": "asked", "messages": [{"role": "user", "content": PROMPT}]}
    chunks = asyncio.run(collect(door.stream(ChatRequest.parse(body | {"stream": True}))))
    said = "".join(fragment.text for chunk in chunks for fragment in fragments_of(chunk))
    assert said == HONEST
    _, exchange = asyncio.run(pipeline([text]).complete(ChatRequest.parse(body)))
    streamed = chunks[-1]["glasnost"]
    assert streamed["label"] == exchange.verdict.label
    assert streamed["action"] == exchange.action == "reroute"
    assert streamed["topics"] == list(exchange.verdict.topics)
