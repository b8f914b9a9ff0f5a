"""What a template tells of tools by itself, found by trying it, and what is told as text instead."""

from __future__ import annotations

import json

import pytest

from glasnost.engine.template import CHATML, ChatTemplate
from glasnost.engine.tools.dialect import dialect_of
from glasnost.engine.tools.formats import DEEPSEEK, DEEPSEEK_BARE, HERMES, LLAMA3, MISTRAL, MISTRAL_LIST, detect
from glasnost.engine.tools.offer import parse_offer
from glasnost.errors import InvalidRequest

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
OFFER = parse_offer({"tools": [WEATHER]})
USER = {"role": "user", "content": "Rain?"}
CALL = {"id": "call_0123", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_0123", "content": "A little."}

TOOLS = "{% for tool in tools or [] %}{{ tool | tojson }}{% endfor %}"
HERMES_LIKE = (
    TOOLS + "{% for m in messages %}[{{ m.role }}]"
    "{% if m.tool_calls %}{{ m.content or '' }}{% for call in m.tool_calls %}<tool_call>\n"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n</tool_call>'
    "{% endfor %}{% else %}{{ m.content }}{% endif %}{% endfor %}"
)
# Arguments are joined to the text as they are, and calls are known by the missing content.
DEEPSEEK_LIKE = (
    "{% for m in messages %}{% if m.role == 'assistant' and m.content is none %}<｜tool▁calls▁begin｜>"
    "{% for call in m.tool_calls %}function{{ call.function.name + '```json' + call.function.arguments }}{% endfor %}"
    "{% else %}{{ m.content }}{% endif %}{% endfor %}"
)
MISTRAL_LIKE = (
    "[AVAILABLE_TOOLS]" + TOOLS + "{% for m in messages %}{% if m.tool_calls %}[TOOL_CALLS]["
    "{% for call in m.tool_calls %}{% if call.id | length != 9 %}{{ raise_exception('ids') }}{% endif %}"
    "{{ call.function | tojson }}, {{ call.id }}{% endfor %}]"
    "{% elif m.role == 'tool' %}{% if m.tool_call_id | length != 9 %}{{ raise_exception('ids') }}{% endif %}"
    "{{ m.tool_call_id + m.content }}{% else %}{{ m.content }}{% endif %}{% endfor %}"
)
NO_SYSTEM = (
    "{% for m in messages %}"
    "{% if m.role not in ['user', 'assistant'] %}{{ raise_exception('roles') }}{% endif %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns') }}{% endif %}"
    "({{ m.role }}) {{ m.content }}\n{% endfor %}"
)


def rendered(source, messages, offer=None):
    template = ChatTemplate(source)
    dialect = dialect_of(template)
    return template.render(dialect.messages(messages, offer), None, dialect.tools(offer))


@pytest.mark.parametrize(
    ("source", "form"),
    [
        (HERMES_LIKE, HERMES),
        ('<tool_call>\n{\\"name\\": <function-name>, \\"arguments\\": <args>}', HERMES),
        ("<tool_call>\n<function=name>", None),
        ("<|start_header_id|>ipython {'\"parameters\": '}", LLAMA3),
        (MISTRAL_LIKE, MISTRAL_LIST),
        ("[TOOL_CALLS]name[ARGS]{}", MISTRAL),
        (DEEPSEEK_LIKE, DEEPSEEK),
        ("<｜tool▁calls▁begin｜>", DEEPSEEK_BARE),
        (CHATML, None),
    ],
)
def test_the_format_is_known_by_the_template(source, form):
    assert detect(source) is form


def test_a_template_that_knows_tools_is_given_them():
    text = rendered(HERMES_LIKE, [USER], OFFER)
    assert text == json.dumps(WEATHER) + "[user]Rain?"


def test_arguments_are_objects_to_a_template_that_writes_them_as_json():
    text = rendered(HERMES_LIKE, [USER, {**CALLED, "content": "So:"}, RESULT])
    assert '[assistant]So:<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>[tool]' in text


def test_arguments_are_text_to_a_template_that_joins_them():
    text = rendered(DEEPSEEK_LIKE, [USER, CALLED, RESULT])
    assert text.endswith('functionweather```json{"city": "Köln"}A little.')


def test_arguments_that_are_no_json_are_text():
    wrong = {**CALL, "function": {"name": "weather", "arguments": "{Köln"}}
    assert '"arguments": "{Köln"' in rendered(HERMES_LIKE, [USER, {**CALLED, "tool_calls": [wrong]}, RESULT])


def test_ids_fit_a_template_that_wants_nine_characters_and_still_belong_together():
    text = rendered(MISTRAL_LIKE, [USER, CALLED, RESULT])
    name = text.partition("}, ")[2][:9]
    assert text.endswith(f"]{name}A little.")
    assert "abc456789" in rendered(MISTRAL_LIKE, [USER, {**RESULT, "tool_call_id": "abc456789"}])


def test_a_template_that_knows_no_tools_has_them_in_the_system_message():
    text = rendered(CHATML, [{"role": "system", "content": "Be brief."}, USER], OFFER)
    system, _, rest = text.partition("<|im_end|>")
    assert system.startswith("<|im_start|>system\nBe brief.\n\n# Tools")
    assert json.dumps(WEATHER["function"]) in system
    assert '<tool_call>\n{"name": "function-name", "arguments": {"argument-name": "value"}}\n</tool_call>' in system
    assert rest == "\n<|im_start|>user\nRain?<|im_end|>\n<|im_start|>assistant\n"
    assert rendered(CHATML, [USER], OFFER).startswith("<|im_start|>system\n# Tools")
    assert rendered(CHATML, [{"role": "developer", "content": "Be brief."}, USER], OFFER).count("Be brief.") == 1


def test_a_template_without_system_messages_has_them_in_the_first_of_the_user():
    text = rendered(NO_SYSTEM, [USER], OFFER)
    assert text.startswith("(user) Rain?\n\n# Tools")


def test_calls_and_results_are_text_to_a_template_that_knows_none_and_keep_the_turns():
    messages = [USER, {**CALLED, "content": "So:"}, RESULT, {**RESULT, "content": "Warm."}, USER]
    assert rendered(NO_SYSTEM, messages) == (
        "(user) Rain?\n"
        '(assistant) So:\n<tool_call>\n{"name": "weather", "arguments": {"city": "Köln"}}\n</tool_call>\n'
        "(user) <tool_response>\nA little.\n</tool_response>\n<tool_response>\nWarm.\n</tool_response>\nRain?\n"
    )


def test_a_conversation_without_tools_is_left_as_it_is():
    messages = [{"role": "system", "content": "Be brief."}, USER, {"role": "assistant", "content": "No."}, USER]
    assert rendered(CHATML, messages) == ChatTemplate(CHATML).render(messages)


def test_an_empty_list_of_calls_is_none():
    said = {"role": "assistant", "content": "No.", "tool_calls": []}
    assert "tool_calls" not in dialect_of(ChatTemplate(HERMES_LIKE)).messages([USER, said], None)[1]


@pytest.mark.parametrize(
    ("call", "param"),
    [
        ("weather", "messages[1].tool_calls[0].function"),
        ({"id": "x"}, "messages[1].tool_calls[0].function"),
        ({"function": {"arguments": "{}"}}, "messages[1].tool_calls[0].function.name"),
        ({"function": {"name": "x", "arguments": {}}}, "messages[1].tool_calls[0].function.arguments"),
    ],
)
def test_a_call_that_lacks_something_is_refused_by_name(call, param):
    with pytest.raises(InvalidRequest) as refused:
        dialect_of(ChatTemplate(CHATML)).messages([USER, {**CALLED, "tool_calls": [call]}], None)
    assert refused.value.param == param
