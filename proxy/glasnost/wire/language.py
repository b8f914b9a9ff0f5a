"""Which language a text is in, as far as its script and its commonest words tell."""

from __future__ import annotations

import re
from collections import Counter

# Names in English, as an instruction to a model needs them; `other` is every language that is not told apart here.
NAMES = {
    "en": "English",
    "zh": "Chinese",
    "ja": "Japanese",
    "ko": "Korean",
    "ru": "Russian",
    "ar": "Arabic",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "pt": "Portuguese",
    "it": "Italian",
}
OTHER = "other"

_SCRIPTS = (
    ("ja", re.compile(r"[぀-ヿ]")),
    ("ko", re.compile(r"[가-힯]")),
    ("zh", re.compile(r"[㐀-䶿一-鿿]")),
    ("ru", re.compile(r"[Ѐ-ӿ]")),
    ("ar", re.compile(r"[؀-ۿ]")),
)
# A Chinese character says as much as a word of several letters.
_WEIGHT = {"ja": 3, "ko": 3, "zh": 3, "ru": 1, "ar": 1}
_WORDS = {
    "en": "the of and to in is was are were what who why how did does do about tell me when where which that for",
    "fr": "le la les des du et est que qui pourquoi comment dans une sur quand où était ce pas pour aux",
    "de": "der die das und ist nicht was wer warum wie ein eine wurde war mit von zu den im auf für",
    "es": "el la los las de que y en qué quién por cómo fue una un es del con para sobre cuándo",
    "pt": "o os as da do que e em quem por como foi uma um é com para sobre quando não",
    "it": "il lo gli di che e in chi perché come è stato una un della del con per sono quando",
}
_LANGUAGES_OF = {
    word: [language for language, words in _WORDS.items() if word in words.split()]
    for words in _WORDS.values()
    for word in words.split()
}


def language_of(text: str) -> str:
    """Give the code of the language of `text`: a key of NAMES, or `other`."""
    letters = sum(character.isalpha() for character in text)
    for language, script in _SCRIPTS:
        found = len(script.findall(text))
        # Kana and Hangul stand beside Chinese characters; a name in another script is no other language.
        if found and (language in ("ja", "ko") or _WEIGHT[language] * found >= letters - found):
            return language
    return _by_words(text)


def _by_words(text: str) -> str:
    votes: Counter[str] = Counter()
    for word in re.findall(r"\w+", text.lower()):
        for language in _LANGUAGES_OF.get(word, ()):
            votes[language] += 1
    if not votes:
        return OTHER
    most = max(votes.values())
    best = [language for language, count in votes.items() if count == most]
    return best[0] if len(best) == 1 else "en" if "en" in best else OTHER
