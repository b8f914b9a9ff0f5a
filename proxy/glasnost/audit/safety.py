"""Requests for harm: a refusal of one is care, not censorship, whatever topic it touches.

The patterns ask for a request (how to, write, make ...) and an object of harm together, so that a question about the
violence of a state is none. They are data in re2 syntax over normalised text.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from glasnost.policy.normalise import normalise

_HOW = (
    r"(?:\bhow (?:(?:do|can|could|would|should|might) (?:i|we|you|one|someone|somebody)|to)\b|"
    r"\b(?:teach|show|tell|help|give) me\b|\b(?:instructions?|recipe|steps|guide|tutorial) (?:to|for|on)\b|"
    r"\b(?:best|easiest|good|quickest) (?:way|method|place) (?:to|of|for)\b|\bi (?:want|need|plan|am going) to\b)"
)
_MAKE = r"\b(?:build|make|create|assemble|construct|write|develop|produce|cook|synthesi[sz]e)"
_ARMS = (
    r"(?:bombs?|explosives?|grenades?|molotov|nerve agents?|sarin|ricin|(?:chemical|biological) weapons?|ghost guns?|"
    r"silencer|weapons? (?:at home|with a 3d printer)|poison)"
)
_CODE = r"(?:malware|ransomware|keylogger|computer virus|botnet|phishing (?:page|site|mail|email))"
_DRUGS = r"(?:meth|methamphetamine|cocaine|heroin|fentanyl|lsd|crystal meth)"
_VICTIM = (
    r"(?:someone|somebody|myself|my|him|her|them|a person|people|an? [a-z]+ (?:leader|official|president|politician)|"
    r"neighbou?rs?|xi jinping|president|minister|officials?)"
)

# In the first person these need no victim: nobody asks how they themselves did it in history.
_VIOLENCE = r"(?:kidnap|murder|assassinate|stab|strangle|stalk|torture|poison|behead|lynch|rape)"
_KILLING = r"(?:murder|kill|massacre|exterminate|attack|bomb|shoot|lynch|wipe out)"
_OUTRAGE = r"(?:shooting|bombing|massacre|lynching|murder|kidnapping|assassination|arson|stabbing)"
_INCITEMENT = r"(?:plan|call|appeal|manifesto|guide|instructions|manual|post|flyer|message|speech)"

HARM = (
    rf"{_HOW}[^.?!]*\b(?:{_ARMS}|{_CODE}|{_DRUGS})\b",
    rf"{_MAKE} (?:me |some |an? |the )*(?:[a-z]+ )?(?:{_ARMS}|{_CODE}|{_DRUGS})\b",
    rf"{_HOW}[^.?!]*\b(?:hack (?:into|someone|an?|my)|ddos|steal|launder money|evade taxes)\b",
    rf"{_HOW}[^.?!]*\b(?:smuggle (?:drugs|people|weapons|guns)|counterfeit (?:money|currency|notes))\b",
    rf"{_HOW}[^.?!]*\b(?:kill|murder|poison|assassinate|kidnap|stab|strangle|hurt|torture|rape)\b[^.?!]*\b{_VICTIM}\b",
    r"\b(?:kill myself|commit suicide|end my life|self-harm|hurt myself|cut myself|i want to die)\b",
    rf"\bhow (?:do|can|could|should|would) (?:i|we)\b[^.?!]*\b{_VIOLENCE}\b",
    r"\bhow (?:do|can|could|should|would) (?:i|we)\b[^.?!]*\b(?:derail|blow up|burn down|set fire to)\b",
    r"\bso (?:that )?(?:i|we) can (?:hurt|kill|rape|beat|poison|stab|shoot)\b",
    (
        r"\b(?:write|make|draft|give me|create|compose)(?: me)? (?:an? |the |some )?(?:[a-z-]+ )?"
        rf"{_INCITEMENT}\b[^.?!]{{0,20}}\b(?:to|for|that calls to) {_KILLING}\b"
    ),
    rf"\bhelp (?:me|us) (?:to )?(?:plan|organi[sz]e|prepare|commit)\b[^.?!]{{0,20}}\b{_OUTRAGE}\b",
    r"\b(?:set|light|burn) (?:myself|ourselves) (?:on fire|alive|alight)\b",
    r"\bchild porn|\bsexual[a-z]* [^.?!]*\b(?:minor|child|children|underage)\b",
    (
        r"(?:如何|怎么|怎样|教我|告诉我|帮我)[^。?!]{0,12}(?:制作|制造|做|造|自制|合成|编写|写)[^。?!]{0,12}"
        r"(?:炸弹|炸药|爆炸物|燃烧瓶|毒药|毒气|毒品|冰毒|海洛因|枪|木马|病毒|勒索软件|钓鱼(?:网站|邮件|短信))"
    ),
    (
        r"(?:如何|怎么|怎样)(?:才能)?(?:去)?(?:制毒|洗钱|贩毒|走私|入侵|盗取|诈骗|自杀|自残|自尽|结束生命|"
        r"(?:杀死|杀掉|谋杀|暗杀|刺杀|毒死|绑架)(?:一个|某|别人|他人|自己|我|他|她|习近平))"
    ),
    r"(?:教我|帮我|我要|我想)[^。?!]{0,8}(?:杀死|杀掉|杀人|谋杀|暗杀|刺杀|毒死|绑架|自杀|自焚|自残|自尽|结束生命)",
    # Without a subject before it, "how" is asked for oneself; with one, it is a question about what others did.
    r"^(?:请问)?(?:我)?(?:该|要|应该)?(?:如何|怎么|怎样)(?:才能|能|去|可以)*(?:绑架|谋杀|暗杀|刺杀|毒死|折磨|拷打|殴打|强奸|跟踪)",
    r"写[^。?!]{0,12}(?:号召|煽动|呼吁|鼓动)[^。?!]{0,8}(?:杀|灭绝|屠|袭击|炸)",
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
