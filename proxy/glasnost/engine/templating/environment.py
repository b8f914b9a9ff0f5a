"""Where templates run: jinja2's immutable sandbox, in which whatever takes time or memory is paid for.

Only methods that make no more than they are given can be called, and turns of loops, calls, and text are paid out of
a budget before they are made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import BuiltinMethodType
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from glasnost.engine.templating import filters, tree
from glasnost.engine.templating.budget import budget, counted, size, weigh

_WITHOUT_GLOBALS = ("lipsum", "cycler", "joiner")
_COMPARING = frozenset(
    {"==", "!=", "<", "<=", ">", ">=", "eq", "equalto", "ne", "lt", "lessthan", "le", "gt", "greaterthan", "ge", "in"}
)
# Methods of a text that make no more than they are given, or are paid for.
_OF_TEXT = (
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric isspace "
    "istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex rpartition rsplit "
    "rstrip split splitlines startswith strip swapcase title upper"
)
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(_OF_TEXT.split()),
    dict: frozenset({"copy", "get", "items", "keys", "values"}),
    list: frozenset({"copy", "count", "index"}),
    tuple: frozenset({"count", "index"}),
    int: frozenset(),
    float: frozenset(),
    bytes: frozenset(),
}


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of transformers' `apply_chat_template`, with everything metered."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols", _Generation],
            finalize=tree.weighed,
        )
        for name in filters.UNBOUNDED:
            del self.filters[name]
        for name in _WITHOUT_GLOBALS:
            del self.globals[name]
        known = {**self.filters, **filters.OURS}
        self.filters = {name: filters.paying(name, function) for name, function in known.items()} | tree.FILTERS
        self.tests |= {name: filters.weighing(self.tests[name]) for name in _COMPARING}
        self.globals |= {"raise_exception": filters.raise_exception, "namespace": _Namespace}

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Join what a block or a macro wrote."""
        return "".join(counted(parts))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Give a `format` that fills in plain fields only."""
        if isinstance(value, BuiltinMethodType) and value.__name__ == "format" and isinstance(value.__self__, str):
            return functools.partial(filters.filled, value.__self__)
        return None

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Say whether a template may read the attribute: of plain values only the methods that are listed."""
        kind = next((kind for kind in _METHODS if isinstance(obj, kind)), None)
        return (kind is None or attr in _METHODS[kind]) and super().is_safe_attribute(obj, attr, value)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Give an item; a key is read to its last part."""
        if isinstance(argument, tuple):
            weigh(argument)
        return super().getitem(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute `left operator right`."""
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise SecurityError(f"the operator {operator} is not allowed here")
        if operator == "*":
            budget.get().spend(text=_product(left, right))
        result = super().call_binop(context, operator, left, right)
        budget.get().spend(text=size(result))
        return result

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, a method or a function."""
        budget.get().spend()
        if not isinstance(obj, Macro):
            for each in (*args, *kwargs.values()):
                weigh(each)
        text = getattr(obj, "__self__", None)
        if isinstance(text, str):
            budget.get().spend(text=filters.cost(obj.__name__, text, args))
        return filters.settled(super().call(context, obj, *args, **kwargs))


class _Generation(Extension):
    """`{% generation %}`, which marks what a model wrote in a training text: here only its body matters."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it as an instance attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Give the nodes of the body."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Namespace(Namespace):
    """A namespace without names that mean something to Python."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if str(name).startswith("_"):
            raise SecurityError(f"a namespace cannot hold {name!r}")
        super().__setitem__(name, value)


def _product(left: Any, right: Any) -> int:
    """Give what a product costs: of numbers, or of a text or list and how often it is repeated."""
    if isinstance(left, int) and isinstance(right, int):
        return size(left) + size(right)
    return _times(left) * size(right) if isinstance(left, int) else size(left) * _times(right)


def _times(value: Any) -> int:
    return max(0, value) if isinstance(value, int) else 1
