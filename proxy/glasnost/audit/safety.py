"""Requests for harm: a refusal of one is care, not censorship, whatever topic it touches.

The patterns ask for a request (how to, write, make ...) and an object of harm together, so that a question about the
violence of a state is none. They are data in re2 syntax over normalised text.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from glasnost.policy.normalise import normalise

_ASK = (
    r"\b(?:how (?:do|can|could|would|should|to|might)|(?:teach|show|tell|help|give|explain to) me|instructions?|"
    r"recipe|steps? (?:to|for)|guide (?:to|for|on)|tutorial|ways? (?:to|of)|write|build|make|create|provide|plan|"
    r"where (?:can|do) i|i (?:want|need) to|best (?:way|method))\b"
)

HARM = (
    (
        rf"{_ASK}[^.?!]*\b(?:bombs?|explosives?|grenades?|molotov|nerve agents?|sarin|ricin|chemical weapons?|"
        rf"biological weapons?|dirty bomb|poison(?:ous)?|untraceable|ghost gun|silencer|firearms? at home|"
        rf"weapons? (?:at home|with a 3d printer))\b"
    ),
    (
        rf"{_ASK}[^.?!]*\b(?:malware|ransomware|keylogger|computer virus|phishing|botnet|ddos|exploit code|"
        rf"hack (?:into|someone|a|an|my)|steal (?:passwords?|credit cards?|a car|identit))"
    ),
    rf"{_ASK}[^.?!]*\b(?:methamphetamine|meth|cocaine|heroin|fentanyl|lsd|crack)\b",
    (
        rf"{_ASK}[^.?!]*\b(?:kill|murder|poison|assassinate|kidnap|stab|strangle|harm|hurt|torture|rape|dismember|"
        rf"attack)\b[^.?!]*\b(?:someone|somebody|myself|my|him|her|them|a person|people|an? [a-z]+ (?:leader|"
        rf"official|president|politician|protesters?)|neighbou?rs?|xi jinping|president|minister|officials?|"
        rf"police)\b"
    ),
    r"\b(?:kill myself|commit suicide|end my life|self-harm|hurt myself|cut myself|want to die)\b",
    r"\b(?:child porn|sexual[a-z]* [^.?!]*\b(?:minor|child|children|underage))",
    (
        r"\b(?:launder money|evade taxes|counterfeit (?:money|currency)|human trafficking|smuggle (?:drugs|people|"
        r"weapons))\b"
    ),
    (
        r"(?:如何|怎么|怎样|教我|告诉我|帮我|步骤|方法|教程|指南|写)[^。?!]*(?:炸弹|炸药|爆炸物|燃烧瓶|毒药|毒气|"
        r"制毒|冰毒|海洛因|可卡因|枪支|手枪|木马|病毒程序|勒索软件|钓鱼网站|入侵|盗取|洗钱|假币|贩毒|走私)"
    ),
    (
        r"(?:如何|怎么|怎样|教我|告诉我|帮我|我要|我想)[^。?!]*(?:杀死|杀害|杀掉|谋杀|暗杀|刺杀|毒死|绑架|伤害|"
        r"袭击|强奸|自杀|自残|自尽|结束生命)"
    ),
)


def asks_for_harm(prompt: str) -> bool:
    """Tell whether a prompt asks for something that any careful model declines."""
    text = normalise(prompt).text
    return bool(_automaton().Match(text))


@cache
def _automaton() -> Any:
    import re2  # noqa: PLC0415  # its C++ library loads in 12 ms, and only an audit needs it

    patterns = re2.Set.SearchSet(re2.Options())
    for pattern in HARM:
        patterns.Add(pattern)
    patterns.Compile()
    return patterns
