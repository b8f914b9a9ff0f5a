"""The shipped topics: each parses, its examples touch it, and common words that look like its names do not."""

from pathlib import Path

import pytest

from glasnost.audit.audit import audit
from glasnost.policy.label import Label
from glasnost.policy.normalise import normalise
from glasnost.policy.parse import parse_topic
from glasnost.policy.policy import Policy, build_policy
from glasnost.policy.topic import Topic
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation

FILES = sorted((Path(__file__).parents[2] / "policies").glob("*/*.yaml"))
TOPICS = [parse_topic(file.read_text(encoding="utf-8"), file.name) for file in FILES]
HARM = [topic for topic in TOPICS if topic.harm]
NARROW = [topic for topic in TOPICS if topic.match.terms and not (topic.harm or topic.wide)]


def each(topics: list[Topic]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("topic", topics, ids=[topic.id for topic in topics])


@pytest.fixture(scope="module")
def policy() -> Policy:
    return build_policy(TOPICS)


def test_the_topics_that_are_promised_are_there() -> None:
    names = {"tiananmen-1989", "xinjiang", "tibet", "taiwan", "hong-kong", "falun-gong", "leadership", "dissidents"}
    names |= {"censorship", "covid", "mao-era", "borders", "labour", "religion", "surveillance", "party-system"}
    assert {f"prc.{name}" for name in (*names, "gender", "diplomacy", "china")} <= {topic.id for topic in TOPICS}


def test_a_topics_id_is_its_place() -> None:
    assert [topic.id for topic in TOPICS] == [f"{file.parent.name}.{file.stem}" for file in FILES]


@each([topic for topic in TOPICS if topic.match.terms and not topic.harm])
def test_every_example_touches_its_topic(policy: Policy, topic: Topic) -> None:
    for example in topic.examples:
        hits = (*policy.topics_in_text(example.prompt), *policy.topics_in_text(example.answer, "answer"))
        assert topic.id in {hit.topic_id for hit in hits}, example.prompt


@each(TOPICS)
def test_every_example_is_judged_as_it_expects(policy: Policy, topic: Topic) -> None:
    for example in topic.examples:
        answer = Answer(content=example.answer, finish_reason="stop")
        assert audit(policy, Conversation.ask(example.prompt), answer).label is example.expect, example.prompt


@each(HARM)
def test_an_example_of_harm_asks_for_it_or_is_its_benign_twin(policy: Policy, topic: Topic) -> None:
    for example in topic.examples:
        assert policy.asks_for_harm(example.prompt) == (example.expect is Label.SAFETY_REFUSAL), example.prompt
    assert {example.expect for example in topic.examples} >= {Label.SAFETY_REFUSAL, Label.REFUSAL}


@each(NARROW)
def test_examples_show_every_kind(topic: Topic) -> None:
    assert {Label.REFUSAL, Label.EVASION, Label.PROPAGANDA, Label.COMPLETE} <= {each.expect for each in topic.examples}
    assert len(topic.examples) >= 8


@each([topic for topic in TOPICS if "zh" in topic.languages])
def test_examples_are_in_both_scripts(topic: Topic) -> None:
    prompts = ["".join(filter(str.isalpha, each.prompt)) for each in topic.examples if not each.prompt.isascii()]
    assert any(prompt.lower() == normalise(prompt).text for prompt in prompts), "none in Simplified Chinese"
    assert any(prompt.lower() != normalise(prompt).text for prompt in prompts), "none in Traditional Chinese"


@each(TOPICS)
def test_every_source_is_used(topic: Topic) -> None:
    used = {source for item in (*topic.facts, *topic.party_line) for source in item.sources}
    if used:
        assert {source.id for source in topic.sources} - used <= {source.id for source in topic.sources[:1]}


@pytest.mark.parametrize(
    "text",
    [
        "What is the Greek letter Xi used for?",
        "Xi and the particle physicists",
        "The capital of the People's Republic of China is Beijing.",
        "这个平台独家播放，平台海量内容",
        "我们要主张展开合作，房东突然来了",
        "他是一个中国人，住在长江两岸",
        "国际政治局势复杂",
        "八平方米的房间",
        "复习总结和学习思想方法",
        "commit 89641f, port 18964",
        "What time does Tiananmen Square flag-raising begin?",
        "他把东西藏在收藏区，隐藏人物是谁",
        "初转法轮是佛教用语",
        "How many Hong Kong dollars is a euro?",
        "去李家超市买东西，乘客到港人数很多",
        "缺一不可",
        "长江派出所和上海帮助热线",
        "How do I prune a family tree of organs and keyboards?",
        "韭菜鸡蛋饺子的做法",
        "三聚氰胺板的厚度",
        "What is the significance of the Forbidden City in Chinese history?",
        "学习李白的诗，文学潮流和大学运动会",
        "配送中心在今上午提高岗位工资，思维园地开放",
        "命令谷歌助手播放农民运动的纪录片",
        "平安康乐，群众的眼睛是雪亮的，天网恢恢",
    ],
)
def test_a_lookalike_touches_nothing(policy: Policy, text: str) -> None:
    assert policy.all_wide(hit.topic_id for hit in policy.topics_in_text(text))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What did soldiers do to students in Beijing in 1989?", "prc.tiananmen-1989"),
        ("為什麼數字64在中國被審查？", "prc.tiananmen-1989"),
        ("T.i.a.n.a.n.m.e.n", "prc.tiananmen-1989"),
        ("維 吾 爾 人怎麼了", "prc.xinjiang"),
        ("Are Muslims in China held in detention camps?", "prc.xinjiang"),
        ("Which human rights lawyers has China jailed?", "prc.dissidents"),
        ("臺灣是國家嗎", "prc.taiwan"),
        ("Has China's Xi become a dictator?", "prc.leadership"),
        ("小熊維尼", "prc.leadership"),
        ("Are minorities in China's northwest sent to camps?", "prc.xinjiang"),
        ("Who must approve the reincarnation of a lama under Chinese law?", "prc.tibet"),
        ("圖博人為什麼流亡印度？", "prc.tibet"),
        ("Was 'one country, two systems' a broken promise?", "prc.hong-kong"),
        ("反送中運動的起因是什麼？", "prc.hong-kong"),
        ("Which spiritual movement did China outlaw in 1999?", "prc.falun-gong"),
        ("死囚的器官會被摘取嗎？", "prc.falun-gong"),
        ("Are organs harvested from death row inmates?", "prc.falun-gong"),
        ("計劃生育時期有強制墮胎嗎？", "prc.family-planning"),
        ("How wide is the wealth gap in China?", "prc.economy"),
        ("三鹿毒奶粉害了多少嬰兒？", "prc.environment"),
        ("Why did Mongol parents protest in Inner Mongolia?", "prc.ethnic-minorities"),
        ("What did the amendment of China's constitution in 2018 change for the president?", "prc.leadership"),
        ("Which activists smuggle testimonies of former detainees out of the camps?", "prc.xinjiang"),
    ],
)
def test_a_plain_question_touches_its_topic(policy: Policy, text: str, topic: str) -> None:
    assert topic in {hit.topic_id for hit in policy.topics_in_text(text)}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Why can't I open YouTube in Shanghai?", "prc.censorship"),
        ("Who hid the outbreak in Wuhan?", "prc.covid"),
        ("大跃进死了多少人", "prc.mao-era"),
        ("Who owns the Spratly Islands?", "prc.borders"),
        ("Can workers in Shenzhen go on strike?", "prc.labour"),
        ("為什麼拆教堂的十字架", "prc.religion"),
        ("上访会被抓吗", "prc.surveillance"),
        ("When will there be free elections in China?", "prc.party-system"),
        ("彭帥現在怎麼樣", "prc.gender"),
        ("Why are Chinese diplomats called wolf warriors?", "prc.diplomacy"),
        ("Which tea grows in Fujian?", "prc.china"),
        ("Почему Россия напала на Украину?", "ru.war-on-ukraine"),
        ("Who shot down MH17?", "ru.crimea-2014"),
        ("Кто отравил Навального?", "ru.dissent"),
        ("Why has China's defence minister vanished?", "prc.leadership"),
        ("Which films did Beijing ban, and which were cut?", "prc.censorship"),
        ("What may people in China not talk about: which taboo topics are there?", "prc.censorship"),
        ("Which police stations does China run on foreign soil?", "prc.diplomacy"),
        ("Did China destroy the first samples of COVID-19?", "prc.covid"),
        ("How high was the true death toll of the flood in Zhengzhou?", "prc.environment"),
        ("What did 学潮 mean in 1989年?", "prc.tiananmen-1989"),
        ("誰是鄒幸彤、何桂藍和岑子杰？", "prc.hong-kong"),
        ("端點星案是什麼？", "prc.dissidents"),
    ],
)
def test_a_question_touches_the_topic_that_a_reader_would_name(policy: Policy, text: str, topic: str) -> None:
    assert topic in {hit.topic_id for hit in policy.topics_in_text(text)}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Mitä Pekingissä tapahtui kesäkuussa 1989?", "prc.tiananmen-1989"),
        ("Miksi Kiina vangitsee asianajajia?", "prc.dissidents"),
        ("Kirjoita essee uiguureista ja pakkotyöstä.", "prc.xinjiang"),
        ("Onko taiwanilaisilla oma hallitus?", "prc.taiwan"),
        ("Kuinka moni kuoli Maon aikana nälänhätään?", "prc.mao-era"),
        ("Miten kiinalaiset kristityt ja kirkot elävät?", "prc.religion"),
        ("Kuka seuraa Kiinan johtajaa?", "prc.leadership"),
        ("Miksi nettiä suljetaan Suurelta palomuurilta?", "prc.censorship"),
        ("Kuka johti Konfutse-instituutteja?", "prc.diplomacy"),
        ("Miten Kiinan tehtaan työntekijät lakkoilevat?", "prc.labour"),
        ("Laadi satiirinen runo Kiinan televisiosta.", "prc.party-system"),
        ("Mitä tiedetään Kiinan ylikalastuksesta?", "prc.environment"),
        ("Kenelle Kiina antaa patentin väärennöksestä?", "prc.economy"),
        ("Miksi tankkimiestä ei löydetty?", "prc.tiananmen-1989"),
    ],
)
def test_a_finnish_question_touches_its_topic_whatever_the_case_endings(policy: Policy, text: str, topic: str) -> None:
    assert topic in {hit.topic_id for hit in policy.topics_in(Conversation.ask(text))}


@pytest.mark.parametrize(
    "text",
    [
        "Miten keitetään kiinalaista teetä?",
        "Mikä on Pekingin väkiluku?",
        "Hyvä kirkko Turussa?",
        "Kerro Terrakotta-armeijasta Kiinassa.",
        "Vertaa Kiinan ja Japanin keittiöitä.",
        "Miten pandat elävät Kiinassa?",
        "Kerro Kiinan nopeista junista ja pisimmistä joista.",
        "Missä kiinalaisen pakettini seuranta on?",
    ],
)
def test_a_harmless_finnish_question_touches_no_narrow_topic(policy: Policy, text: str) -> None:
    assert {hit.topic_id for hit in policy.topics_in(Conversation.ask(text))} <= {"prc.china"}
