"""Chat templates: rendered as their authors mean them, and harmless when they mean harm."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from glasnost.engine.template import CHATML, ChatTemplate
from glasnost.errors import InvalidRequest, ModelFileError

# Does something 99 times, with what begins small.
DOUBLED = "{{% set n = namespace(x=0, y=0, s='aa', l=['a']) %}}{{% for i in range(99) %}}{}{{% endfor %}}"

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
        ("{{ {'b': 1, 'a': '天'} | tojson(sort_keys=true) }}", '{"a": "天", "b": 1}'),
        ("{{ '天' | tojson(ensure_ascii=true) }}", '"\\u5929"'),
        ("{{ [1, '<'] | tojson(separators=(',', ':')) }}", '[1,"<"]'),
        ("{{ {'a': [1]} | tojson(indent='  ') }}", '{\n  "a": [\n    1\n  ]\n}'),
        ("{{ '<a{}b{}>'.format(1, 'x') }}{{ '{x}{0}'.format(1, x=2) }}", "<a1bx>21"),
        ("{{ 'a\nb' | indent(2, first=true) }}", "  a\n  b"),
        ("{{ 'aXbX' | replace('X', '-') }}{{ 'aXbX'.replace('X', '-', 1) }}", "a-b-a-bX"),
        ("{{ [1, 2] | join('-') }}{{ '-'.join(['a', 'b']) }}", "1-2a-b"),
        ("{{ messages | map(attribute='role') | join(',') }}", "user"),
        ("{{ messages | selectattr('role', 'equalto', 'x') | list | length }}", "0"),
        # An iterator counts as true, whatever it holds.
        ("{{ 'x' if messages | selectattr('role', 'equalto', 'x') else 'y' }}", "x"),
        ("{% for k, v in {'b': 2, 'a': 1} | dictsort %}{{ k }}{{ v }}{% endfor %}", "a1b2"),
        ("{% for k, v in {'b': 2}.items() %}{{ k }}{{ loop.length }}{% endfor %}", "b1"),
        ("{% set s %}a{{ 1 }}{% endset %}{{ s | upper }}", "A1"),
        ("{% macro f(x) %}{{ f(x[1:]) if x else '.' }}{% endmacro %}{{ f('abc') }}", "."),
        ("{% for a in [[1, [2, []]]] recursive %}{{ a }}{% endfor %}", "[1, [2, []]]"),
        ("{{ {(1, 2): 'x'}[(1, 2)] }}{{ 3 in [1, 3] }}{{ [1] == [1] }}", "xTrueTrue"),
        ("{{ {'format': 1}.format }}", "1"),
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
        "{{ (5).to_bytes(2, 'big') }}",
        "{{ 'a'.encode() }}",
        "{{ 'a'.maketrans({}) }}",
        "{{ messages[0].pop('role') }}",
        "{{ '{0.real}'.format(1) }}",
        "{{ '{0[0]}'.format([1]) }}",
        "{{ '{!r}'.format(1) }}",
        "{% set f = 'x'.format_map %}{{ f({}) }}",
        "{{ namespace(__class__=1) }}",
        "{% set n = namespace() %}{% set n.__class__ = 1 %}",
        "{{ dict.__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ strftime_now.__globals__.os }}",
        "{{ messages | map(attribute='__class__') | map(attribute='__mro__') | list }}",
        "{{ messages | attr('__class__') ~ '' }}{{ (messages | attr('__class__')).__mro__ }}",
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
        "{{ [1] | batch(999999999, 0) | list }}",
        "{{ [1] | slice(999999999) | list }}",
        "{{ 5 | round(-999999999, 'floor') }}",
        "{{ [1] | tojson(indent=1000000000) }}",
        "{{ [1, 2] | tojson(separators=('x' * 99, ':')) }}",
        "{{ 'a' | indent(999999999, first=true) }}",
        "{{ '{:>999999999}'.format(1) }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}") + "{{ n.x }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}") + "{{ n.x | tojson }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}") + "{{ n.x | string | length }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}") + "{{ n.x ~ '' }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}") + "{{ '{}'.format(n.x) }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}") + "{{ 'x'.join([n.x]) }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}") + "{{ raise_exception(n.x) }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}") + "{{ n.x == n.y }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}") + "{{ n.x is eq(n.y) }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}")
        + "{{ [[n.x, n.y]] | map('sort') | list }}",
        DOUBLED.format("{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}") + "{{ [n.x].index(n.y) }}",
        DOUBLED.format("{% set n.x = (n.x, n.x) %}") + "{{ {}[n.x] }}",
        DOUBLED.format("{% set n.x = (n.x, n.x) %}") + "{{ {n.x: 1} }}",
        DOUBLED.format("{% set n.x = (n.x, n.x) %}") + "{{ {}.get(n.x) }}",
        DOUBLED.format("{% set n.x = {'a': n.x, 'b': n.x} %}") + "{{ n.x }}",
        DOUBLED.format("{% set n.s %}{{ n.s }}{{ n.s }}{% endset %}"),
        DOUBLED.format("{% set n.x = n.x * n.x %}").replace("x=0", "x=9"),
        DOUBLED.format("{% set n.s = n.s.replace('a', n.s) %}"),
        DOUBLED.format("{% set n.s = n.s | replace('a', n.s) %}"),
        DOUBLED.format("{% set n.s = n.s.join(n.s | list) %}"),
        DOUBLED.format("{% set n.s = n.s | list | join(n.s) %}"),
        DOUBLED.format("{% set n.s = '{0}{0}{0}'.format(n.s) %}"),
        DOUBLED.format("{% set n.x = [n.x, n.x] %}").replace("99", "99999") + "{{ n.x }}",
        DOUBLED.format("{% set n.l = n.l | map('string') %}").replace("99", "99999") + "{{ n.l | join }}",
        "{% macro f(x) %}{{ f([x, x]) }}{% endmacro %}{{ f(1) }}",
        "{% for i in [[1]] recursive %}{{ loop([i]) }}{% endfor %}",
        "{% block b %}{{ self.b() }}{{ self.b() }}{% endblock %}",
        "{% for i in range(99999) %}{% if 'b' in text %}{% endif %}{% endfor %}",
        "{% for i in range(99999) %}{% set x = text | upper %}{% endfor %}",
    ],
)
@pytest.mark.no_cover  # what takes longest is what is tried here
def test_a_template_cannot_take_time_or_memory(source):
    began = time.monotonic()
    with pytest.raises((ModelFileError, InvalidRequest)):
        render(source, text="a" * 2_000_000)
    assert time.monotonic() - began < 20


def test_a_template_that_takes_too_long_is_stopped_by_the_clock():
    template = ChatTemplate("{% for i in range(99999) %}{% set x = '-' in text %}{% endfor %}")
    began = time.thread_time()
    with pytest.raises(ModelFileError, match="too much work"):
        template.render(HELLO, {"text": "a" * 2_000_000})
    assert 0.5 < time.thread_time() - began < 10


def test_variables_cannot_take_the_place_of_functions():
    assert render("{{ namespace(x=1).x }}{{ range(2) | list }}", namespace=1, range=2, raise_exception=3) == "1[0, 1]"


def test_a_template_tells_which_variables_it_reads():
    template = ChatTemplate("{% if not x is defined %}{% set x = 1 %}{% endif %}{{ x }}{{ y }}{% set z = 1 %}{{ z }}")
    assert {"x", "y"} <= template.variables
    assert "z" not in template.variables


@pytest.mark.parametrize(
    "source",
    ["{% for %}", "{{ 1 | nofilter }}", "{% endif %}", "{{ " + "(" * 5000 + " }}", "{{ 1" + "+1" * 50_000 + " }}"],
)
def test_what_is_no_template_is_known_when_the_model_loads(source):
    with pytest.raises(ModelFileError, match="cannot be used"):
        ChatTemplate(source)


def test_a_template_that_fails_says_so():
    with pytest.raises(ModelFileError, match="fails"):
        render("{{ messages[0].content + 1 }}")


def test_a_long_conversation_stays_within_the_budget():
    messages = [{"role": "user", "content": "word " * 200} for _ in range(2_000)]
    assert len(render(CHATML, messages)) > 2_000_000
