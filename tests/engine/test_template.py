"""Chat templates: rendered as their authors mean them, and harmless when they mean harm."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from glasnost.engine.template import CHATML, ChatTemplate
from glasnost.errors import InvalidRequest, ModelFileError

HELLO = [{"role": "user", "content": "Hello"}]


def render(source, messages=HELLO, **extra):
    moment = datetime(2026, 8, 1, tzinfo=UTC)
    return ChatTemplate(source, bos="<s>", eos="</s>", now=lambda: moment).render(messages, extra)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ bos_token }}{{ messages[0]['content'] }}{{ eos_token }}", "<s>Hello</s>"),
        ("{% if add_generation_prompt %}\n    yes\n{% endif %}\n", "    yes\n"),
        ("{% for m in messages %}{{ loop.index0 }}{{ loop.last }}{% break %}{% endfor %}", "0True"),
        ("{% for a in [1, 2, 3] if a > 1 %}{{ a }}{% endfor %}", "23"),
        ("{{ messages | tojson }}", '[{"role": "user", "content": "Hello"}]'),
        ("{{ {'a': '天'} | tojson(indent=2) }}", '{\n  "a": "天"\n}'),
        ("{{ strftime_now('%d %b %Y') }}", "01 Aug 2026"),
        ("{{ 'a' ~ 1 ~ 'b' }}", "a1b"),
        ("{% set ns = namespace(x=1) %}{% set ns.x = ns.x + 1 %}{{ ns.x * 3 }}", "6"),
        ("{% generation %}body{% endgeneration %}", "body"),
        ("{% macro f(x) %}[{{ x }}]{% endmacro %}{{ f('a') }}", "[a]"),
        ("{{ messages[0].content.strip().split('l')[-1] }}", "o"),
        ("{{ messages[0].content[::-1] | upper }}", "OLLEH"),
        ("{{ 'x' if tools is not defined else 'y' }}", "x"),
    ],
)
def test_what_templates_use_works(source, expected):
    assert render(source) == expected


def test_variables_of_the_request_reach_the_template_but_not_over_ours():
    source = "{{ enable_thinking }}{{ bos_token }}{{ add_generation_prompt }}"
    assert render(source, enable_thinking=False, bos_token="x", add_generation_prompt=False) == "False<s>True"


def test_text_of_a_message_is_no_template():
    assert render(CHATML, [{"role": "user", "content": "{{ 7 * 7 }}"}]) == (
        "<|im_start|>user\n{{ 7 * 7 }}<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_template_may_refuse_the_messages():
    with pytest.raises(InvalidRequest, match="roles must alternate") as refused:
        render("{{ raise_exception('roles must alternate') }}")
    assert refused.value.param == "messages"


@pytest.mark.parametrize(
    "source",
    [
        "{{ cycler.__init__.__globals__.os.system('touch PWNED') }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__class__.__name__ }}",
        "{% set f = messages.append %}{{ f(1) }}",
        "{{ messages[0].update({'a': 1}) }}",
        "{{ ('{0.__class__}').format(1) }}",
        "{{ ('{0.__class__}').format_map({'0': 1}) }}",
        "{{ lipsum() }}",
        "{% include 'file' %}",
        "{% import 'file' as x %}",
    ],
)
def test_a_template_cannot_leave_the_sandbox(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError):
        render(source)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(10 ** 9) %}x{% endfor %}",
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 'a' * 9999999999 }}",
        "{{ [1] * 9999999999 }}",
        "{{ 9999999999 * 'a' }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'a'.center(999999999) }}",
        "{{ 'a'.zfill(999999999) }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ 'a' | center(999999999) }}",
        "{{ '%999999999d' | format(1) }}",
        "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(l=[1]) %}{% for i in range(99) %}{% set n.l = n.l + n.l %}{% endfor %}",
        "{{ strftime_now('%9999999d') }}",
        "x" * 300_000,
    ],
)
def test_a_template_cannot_take_time_or_memory(source):
    began = time.monotonic()
    with pytest.raises(ModelFileError):
        render(source)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("source", ["{% for %}", "{{ 1 | nofilter }}", "{% endif %}", "{{ " + "(" * 5000 + " }}"])
def test_what_is_no_template_is_known_when_the_model_loads(source):
    with pytest.raises(ModelFileError, match="cannot be used"):
        ChatTemplate(source)


def test_a_template_that_fails_says_so():
    with pytest.raises(ModelFileError, match="fails"):
        render("{{ messages[0].content + 1 }}")


def test_a_long_conversation_stays_within_the_budget():
    messages = [{"role": "user", "content": "word " * 200} for _ in range(2_000)]
    assert len(render(CHATML, messages)) > 2_000_000
