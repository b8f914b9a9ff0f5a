"""A template's syntax tree, changed so that loops, joined texts and comparisons are paid for."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes, pass_context
from jinja2.runtime import Context

from glasnost.engine.templating.budget import budget, each, weigh


def metered(template: nodes.Template) -> nodes.Template:
    """Let loops tick and pass through `_turns`, `~` through `_joined`, and what is compared or a key be weighed."""
    for loop in template.find_all(nodes.For):
        loop.iter = _filtered(loop.iter, "_turns")
        loop.body.insert(0, nodes.ExprStmt(_filtered(nodes.Const(None), "_tick"), lineno=loop.lineno))
    for comparison in template.find_all(nodes.Compare):
        comparison.expr = _to_weigh(comparison.expr)
        for operand in comparison.ops:
            operand.expr = _to_weigh(operand.expr)
    for pair in template.find_all(nodes.Pair):
        pair.key = _to_weigh(pair.key)
    for parent in list(template.find_all(nodes.Node)):
        for name, value in parent.iter_fields():
            if isinstance(value, nodes.Node):
                setattr(parent, name, _without_concat(value))
            elif isinstance(value, list):
                value[:] = [_without_concat(item) for item in value]
    return template


def weighed(value: Any) -> Any:
    """Give the value, paid for to its last item."""
    weigh(value)
    return value


def _filtered(value: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)


def _to_weigh(value: nodes.Expr) -> nodes.Expr:
    return value if isinstance(value, nodes.Const) else _filtered(value, "_weighed")


def _without_concat(value: Any) -> Any:
    if isinstance(value, nodes.Concat):
        return _filtered(nodes.List(value.nodes, lineno=value.lineno), "_joined")
    return value


@pass_context
def _tick(_context: Context, _nothing: None) -> None:
    # It asks for the context so that it is no constant, which would be computed once.
    budget.get().spend()


def _turns(items: Any) -> Any:
    sized = items if hasattr(items, "__len__") else list(each(items))
    budget.get().spend(work=len(sized) + 1)
    return sized


def _joined(parts: list[Any]) -> str:
    weigh(parts)
    return "".join(map(str, parts))


#: What the changed tree calls, under names that no template can use.
FILTERS = {"_turns": _turns, "_joined": _joined, "_weighed": weighed, "_tick": _tick}
