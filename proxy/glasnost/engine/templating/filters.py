"""The filters and functions that templates call, each of which pays for what it makes before it makes it."""

from __future__ import annotations

import functools
import json
import string
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from jinja2 import TemplateRuntimeError, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.filters import do_indent, do_join
from jinja2.nodes import EvalContext

from glasnost.engine.templating.budget import Exceeded, budget, counted, each, size, weigh

#: They make anything of any length out of a number or a text, and no chat template needs them.
UNBOUNDED = frozenset(
    {"batch", "center", "format", "pprint", "random", "round", "slice", "sum", "urlize", "wordwrap", "xmlattr"}
)
# They read no more of a value than its items; every other filter weighs what it is given.
_SHALLOW = frozenset(
    {"attr", "count", "d", "default", "first", "items", "last", "length", "list", "map", "reverse"}
    | {"reject", "rejectattr", "select", "selectattr"}
)
# Characters of an indentation or a separator in JSON.
_MAX_GAP = 16


class Refused(TemplateRuntimeError):
    """The template called `raise_exception`: it does not accept these messages."""


def paying(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a filter that pays for what it reads and makes."""

    # `wraps` takes over what jinja2 notes on a function: whether it wants the context.
    @functools.wraps(function)
    def paid(*args: Any, **kwargs: Any) -> Any:
        if name not in _SHALLOW:
            for value in (*args, *kwargs.values()):
                weigh(value)
        return settled(function(*args, **kwargs))

    return paid


def weighing(test: Any) -> Callable[..., Any]:
    """Give a test that pays for what it compares."""

    def weighed(*args: Any) -> Any:
        for value in args:
            weigh(value)
        return test(*args)

    return weighed


def settled(result: Any) -> Any:
    """Pay for a result; one that is computed item by item is computed now, as long as the budget lasts."""
    if isinstance(result, Iterator):
        # Still an iterator: it counts as true, and has no length.
        return iter(list(each(result)))
    budget.get().spend(text=size(result))
    return result


def cost(method: str, text: str, args: tuple[Any, ...]) -> int:
    """Give what a method of a text makes, where that is more than the text and its arguments."""
    match method, args:
        case "replace", (str(old), str(new), *_):
            return text.count(old) * len(new)
        case "join", (list() | tuple() | dict() as parts,):
            return len(text) * len(parts)
        case "split" | "rsplit", (str(separator), *_):
            return 64 * text.count(separator) if separator else 0
        case "split" | "rsplit" | "splitlines", _:
            # As many words as there can be.
            return 16 * len(text)
    return 0


def filled(text: str, *args: Any, **kwargs: Any) -> str:
    """Give a text with its `{}` filled in."""
    fields = list(string.Formatter().parse(text))
    for _, name, form, conversion in fields:
        if form or conversion or (name and not name.isidentifier() and not name.isdigit()):
            raise SecurityError("only plain fields can be filled in")
    longest = max((len(str(value)) for value in (*args, *kwargs.values())), default=0)
    budget.get().spend(text=len(fields) * longest)
    return text.format(*args, **kwargs)


def _replace(s: Any, old: Any, new: Any, count: int | None = None) -> str:
    text, old, new = str(s), str(old), str(new)
    budget.get().spend(text=cost("replace", text, (old, new)))
    return text.replace(old, new, -1 if count is None else count)


@pass_eval_context
def _join(context: EvalContext, value: Any, d: str = "", attribute: str | int | None = None) -> str:
    parts = list(each(value))
    budget.get().spend(text=len(str(d)) * len(parts))
    return str(do_join(context, parts, d, attribute))


def _indent(s: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002
    step = len(width) if isinstance(width, str) else max(0, width)
    budget.get().spend(text=step * (1 + len(s.splitlines())))
    return do_indent(s, width, first, blank)


def _tojson(
    x: Any,
    ensure_ascii: bool = False,  # noqa: FBT001, FBT002 - the filter of transformers has these parameters
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,  # noqa: FBT001, FBT002
) -> str:
    if (len(indent) if isinstance(indent, str) else indent or 0) > _MAX_GAP:
        raise Exceeded(f"JSON is indented by at most {_MAX_GAP} characters")
    if any(len(separator) > _MAX_GAP for separator in separators or ()):
        raise Exceeded(f"separators in JSON have at most {_MAX_GAP} characters")
    encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    # Each line is indented by its depth, so that the text may be far longer than what it holds.
    return encoder.encode(x) if indent is None else "".join(counted(encoder.iterencode(x)))


def raise_exception(message: str) -> NoReturn:
    """Refuse the messages, in the template's words."""
    raise Refused(message)


#: The filters of jinja2 that must be paid for in advance, and that of transformers.
OURS = {"tojson": _tojson, "indent": _indent, "replace": _replace, "join": _join}
