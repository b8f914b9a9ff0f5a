"""The chat template of a GGUF, rendered as the hostile code that it may be: no attributes, no endless loops.

A template comes with the model's file, which anybody may have made. It runs in jinja2's immutable sandbox, and what
takes time or memory in it is paid out of a budget: turns of loops, calls, and the text that it puts together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import meta, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from glasnost.engine.reasoning import tags_in
from glasnost.errors import InvalidRequest, ModelFileError

#: For a file without a template: the most common format, which llama.cpp takes in that case as well.
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
MAX_SOURCE = 256 << 10
MAX_WORK = 200_000
MAX_TEXT = 64 << 20

# They make text of any length out of a number, and no chat template needs them.
_UNBOUNDED_FILTERS = ("center", "format", "indent", "wordwrap", "xmlattr", "urlize", "pprint", "random")
_UNBOUNDED_METHODS = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "translate", "zfill"})
_UNBOUNDED_GLOBALS = ("lipsum", "cycler", "joiner")


class _Exceeded(jinja2.TemplateRuntimeError):
    """The template used up its budget."""


class _Refused(jinja2.TemplateRuntimeError):
    """The template called `raise_exception`: it does not accept these messages."""


@dataclass(slots=True)
class _Budget:
    work: int = MAX_WORK
    text: int = MAX_TEXT

    def spend(self, *, work: int = 1, text: int = 0) -> None:
        self.work -= work
        self.text -= text
        if self.work < 0 or self.text < 0:
            raise _Exceeded("it takes too much work, or makes too much text")


_budget: ContextVar[_Budget] = ContextVar("budget of the template that is rendered")


class ChatTemplate:
    """A compiled template; ModelFileError when it is none."""

    def __init__(
        self, source: str, *, bos: str = "", eos: str = "", now: Callable[[], datetime] = datetime.now
    ) -> None:
        self.source = source
        self.sha256 = hashlib.sha256(source.encode("utf-8")).hexdigest()
        self.tags = tags_in(source)
        self._known = {"bos_token": bos, "eos_token": eos}
        environment = _Sandbox(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
        )
        environment.globals["strftime_now"] = lambda form: _strftime(now(), form)
        try:
            if len(source) > MAX_SOURCE:
                raise _Exceeded(f"it is longer than {MAX_SOURCE} characters")
            tree = environment.parse(source)
            #: The variables that it reads.
            self.variables = frozenset(meta.find_undeclared_variables(tree))
            self._template = environment.from_string(_metered(tree))
        except (jinja2.TemplateError, RecursionError, SyntaxError, ValueError, MemoryError) as error:
            raise ModelFileError(f"the chat template of the model cannot be used: {error}") from error

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        extra: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> str:
        """Give the prompt for an answer to the messages, whose contents are strings.

        `extra` are variables like `enable_thinking`, `tools` what the model may call. InvalidRequest when the
        template refuses the messages, ModelFileError when it fails or does what it must not.
        """
        token = _budget.set(_Budget())
        offered = {} if tools is None else {"tools": tools}
        known = {**self._known, **offered, "messages": messages, "add_generation_prompt": True}
        variables = {**(extra or {}), **known}
        try:
            return "".join(_counted(self._template.generate(variables)))
        except _Refused as error:
            raise InvalidRequest(f"The model's chat template refuses: {error}", param="messages") from error
        except (jinja2.TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise ModelFileError(f"the chat template of the model fails: {error}") from error
        finally:
            _budget.reset(token)


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, with every operator and call that can multiply work or text metered."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name in _UNBOUNDED_FILTERS:
            del self.filters[name]
        for name in _UNBOUNDED_GLOBALS:
            del self.globals[name]
        self.filters.update(tojson=_tojson, _turns=_turns, _joined=_joined)
        self.globals["raise_exception"] = _raise_exception

    def wrap_str_format(self, value: Any) -> None:
        """Give no safe `format`: `is_safe_attribute` refuses them all."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return not (isinstance(obj, str) and attr in _UNBOUNDED_METHODS) and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise jinja2.exceptions.SecurityError(f"the operator {operator} is not allowed here")
        if operator == "*":
            _budget.get().spend(text=_size(left) * _times(right) if _size(left) else _times(left) * _size(right))
        result = super().call_binop(context, operator, left, right)
        _budget.get().spend(text=_size(result))
        return result

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        _budget.get().spend()
        result = super().call(context, obj, *args, **kwargs)
        _budget.get().spend(text=_size(result))
        return result


class _Generation(Extension):
    """`{% generation %}`, which marks what a model wrote in a training text: here only its body matters."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it as an instance attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Give the nodes of the body."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _metered(template: nodes.Template) -> nodes.Template:
    """Let every loop pass through `_turns` and every `~` through `_joined`."""
    for loop in template.find_all(nodes.For):
        loop.iter = _filtered(loop.iter, "_turns")
    for parent in list(template.find_all(nodes.Node)):
        for name, value in parent.iter_fields():
            if isinstance(value, nodes.Concat):
                setattr(parent, name, _filtered(nodes.List(value.nodes, lineno=value.lineno), "_joined"))
            elif isinstance(value, list):
                value[:] = [
                    _filtered(nodes.List(item.nodes, lineno=item.lineno), "_joined")
                    if isinstance(item, nodes.Concat)
                    else item
                    for item in value
                ]
    return template


def _filtered(value: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)


def _turns(items: Any) -> Any:
    sized = items if hasattr(items, "__len__") else list(items)
    _budget.get().spend(work=len(sized) + 1)
    return sized


def _joined(parts: Iterable[Any]) -> str:
    texts = [str(part) for part in parts]
    _budget.get().spend(text=sum(map(len, texts)))
    return "".join(texts)


def _counted(parts: Iterable[str]) -> Iterable[str]:
    for part in parts:
        _budget.get().spend(work=0, text=len(part))
        yield part


def _size(value: Any) -> int:
    """Give what it costs to make a value: the characters of a text, a pointer for each item of a list."""
    return len(value) if isinstance(value, str) else 8 * len(value) if isinstance(value, list | tuple) else 0


def _times(value: Any) -> int:
    return max(0, value) if isinstance(value, int) else 1


def _tojson(value: Any, indent: int | None = None, **_: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=None if indent is None else min(indent, 8))
    _budget.get().spend(text=len(text))
    return text


def _strftime(moment: datetime, form: str) -> str:
    if len(form) > 64 or any(character.isdigit() for character in form):
        raise _Exceeded("a format of a date is letters and signs")
    return moment.strftime(form)


def _raise_exception(message: str) -> NoReturn:
    raise _Refused(message)
