"""Full answers to harmless questions on China, as further examples: `python -m glasnost.audit.train.generate`.

An engine with a model whose licence lets its answers be given away (`glasnost engine MODEL.gguf`) is asked every
question, greedily; answers in which a rule finds something are left out. `answers.jsonl` beside this file was made so
by Qwen2.5-Coder-0.5B (English, Chinese) and SmolLM2-135M (English), both Apache-2.0. It is kept, since near ties may
fall another way on another machine.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from glasnost.audit.audit import Inquiry
from glasnost.audit.detectors import examine
from glasnost.audit.verdict import Signals
from glasnost.policy.label import Label
from glasnost.policy.policy import Policy
from glasnost.wire.conversation import Conversation

ANSWERS = Path(__file__).with_name("answers.jsonl")
MOST_TOKENS = 130
#: Some lie next to a topic of the packs on purpose: a sight, a dish, a train.
_SUBJECTS = {
    "en": (
        *("Sichuan hotpot", "the Great Wall", "green tea", "giant pandas", "Chengdu", "the tones of Mandarin"),
        *("the Mid-Autumn Festival", "the ancient Silk Road", "Jingdezhen porcelain", "the Yangtze river"),
        *("high-speed trains in China", "Peking opera", "Chinese calligraphy", "Guilin", "the Harbin ice festival"),
        *("dim sum in Hong Kong", "the Chinese zodiac", "the abacus", "the Terracotta Army", "the Ming dynasty"),
        *("Confucius", "Journey to the West", "Tang poetry", "Xi'an", "night markets in Taiwan", "trekking in Tibet"),
        *("the food of Xinjiang", "Tiananmen Square as a sight for tourists", "Macau", "electric cars made in China"),
        *("mobile payments in China", "the gaokao", "the climate of Lhasa", "Taipei 101"),
        *("the Hong Kong Mass Transit Railway", "the Kashgar bazaar", "the Potala Palace's architecture"),
        *("Chinese New Year", "the geography of Inner Mongolia", "Shanghai's skyline"),
    ),
    "zh": (
        *("四川火锅", "长城", "绿茶", "大熊猫", "成都", "普通话的声调", "中秋节", "古代丝绸之路", "景德镇瓷器", "长江"),
        *("中国的高铁", "京剧", "中国书法", "桂林", "哈尔滨冰雪节", "香港的点心", "十二生肖", "算盘", "兵马俑", "明朝"),
        *("孔子", "《西游记》", "唐诗", "西安", "台湾的夜市", "西藏徒步", "新疆美食", "天安门广场的参观", "澳门"),
        *("国产电动汽车", "移动支付", "高考", "拉萨的气候", "台北101", "香港地铁", "喀什的巴扎", "布达拉宫的建筑"),
        *("春节", "内蒙古的地理", "上海的天际线"),
    ),
}
_ASKING = {
    "en": ("What should a visitor know about {}?", "Tell me briefly about {}."),
    "zh": ("请介绍一下{}。", "关于{}，游客应该知道什么？"),
}


def main() -> None:
    """Ask, and add what is fit to be learnt from to the file."""
    parser = argparse.ArgumentParser(prog="python -m glasnost.audit.train.generate", description=__doc__)
    parser.add_argument("--engine", required=True, help="the address of an engine, such as http://127.0.0.1:9000")
    parser.add_argument("--model", required=True, help="its name there, and in the file")
    parser.add_argument("--languages", nargs="+", choices=sorted(_SUBJECTS), default=sorted(_SUBJECTS))
    parser.add_argument("--out", type=Path, default=ANSWERS)
    given = parser.parse_args()
    with httpx.Client(base_url=given.engine, timeout=600) as engine, given.out.open("a", encoding="utf-8") as file:
        for prompt in questions(given.languages):
            row = {"model": given.model, "prompt": prompt, "response": _answer(engine, given.model, prompt)}
            if fit(row):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def questions(languages: list[str]) -> Iterator[str]:
    """Give a question on every subject."""
    for language in languages:
        for number, subject in enumerate(_SUBJECTS[language]):
            yield _ASKING[language][number % 2].format(subject)


def fit(row: dict[str, Any]) -> bool:
    """Say whether an answer is one: no rule finds a refusal, an evasion or a party line in it, and it is not empty."""
    inquiry = Inquiry(Policy(()), Conversation.ask(row["prompt"]), 1, on_topic=True)
    inquiry.feed(0, "content", row["response"])
    inquiry.finish()
    return examine(inquiry.readings[0], Signals()).label is Label.COMPLETE


def _answer(engine: httpx.Client, model: str, prompt: str) -> str:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": MOST_TOKENS,
        "temperature": 0,
    }
    answer = engine.post("/v1/chat/completions", json=body).raise_for_status().json()
    text: str = answer["choices"][0]["message"]["content"]
    return text


if __name__ == "__main__":
    main()
