"""The language of a text, by its script and its commonest words."""

import pytest

from glasnost.wire.language import OTHER, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What happened at Tiananmen Square on June 4, 1989?", "en"),
        ("Who was Liu Xiaobo (刘晓波)?", "en"),
        ("刘晓波为什么被判刑？", "zh"),
        ("请介绍一下 Liu Xiaobo", "zh"),
        ("劉曉波為什麼被判刑？", "zh"),
        ("天安門事件とは何ですか？", "ja"),
        ("천안문 광장에서 무슨 일이 있었나요?", "ko"),
        ("Что произошло на площади Тяньаньмэнь?", "ru"),
        ("ماذا حدث في ساحة تيانانمن؟", "ar"),
        ("Que s'est-il passé sur la place Tian'anmen et pourquoi ?", "fr"),
        ("Was geschah auf dem Platz und warum wurde er geräumt?", "de"),
        ("¿Qué pasó en la plaza y por qué?", "es"),
        ("O que aconteceu na praça e quando foi?", "pt"),
        ("Tiananmen 1989", OTHER),
        ("", OTHER),
    ],
)
def test_the_language_of_a_question_is_told(text, language):
    assert language_of(text) == language
