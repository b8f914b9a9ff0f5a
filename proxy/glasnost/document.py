"""Strict YAML: text in, plain values and the line of every path out; every problem is reported at once.

Rules kept here, for configuration and topic files alike (trust: YAML is input, not code):
no tags, no anchors, aliases or merge keys, no duplicate keys, string keys only, bounded size and depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from glasnost.errors import Problem

# libyaml reads a pack of topics five times as fast; a PyYAML without it reads the same.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_BYTES = 1 << 20
MAX_DEPTH = 20

_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")
}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: `value` is made of dict, list, str, int, float, bool and None."""

    value: Any
    lines: dict[str, int]
    problems: tuple[Problem, ...]

    def line(self, path: str) -> int:
        """Give the line of `path`, or of the nearest part of it that exists."""
        while path and path not in self.lines:
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
        return self.lines.get(path, 0)


def parse(text: str) -> Document:
    """Parse one YAML document; what is wrong is listed in `problems` and never raised."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        return Document(None, {}, (Problem("", f"larger than {MAX_BYTES} bytes"),))
    problems = _scan(text)
    if problems:
        return Document(None, {}, tuple(problems))
    node = yaml.compose(text, Loader=_Loader)
    builder = _Builder()
    value = builder.build(node, "") if node is not None else None
    return Document(value, builder.lines, tuple(builder.problems))


def _scan(text: str) -> list[Problem]:
    """Walk the event stream without recursion: depth, anchors, aliases and syntax are checked before composing."""
    depth = 0
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    return [Problem("", "holds more than one YAML document", line)]
            anchor = getattr(event, "anchor", None)
            if anchor is not None:
                return [Problem("", f"anchors and aliases are not allowed (&{anchor})", line)]
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    return [Problem("", f"nested deeper than {MAX_DEPTH} levels", line)]
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return [Problem("", f"not YAML: {error.problem}", mark.line + 1 if mark else 0)]
    except yaml.YAMLError as error:
        return [Problem("", f"not YAML: {error}")]
    return []


class _Builder:
    """Turns composed nodes into values, remembering lines and collecting problems."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self._scalars = yaml.SafeLoader("")

    def build(self, node: Node, path: str) -> Any:
        self.lines[path] = node.start_mark.line + 1
        if node.tag not in _PLAIN_TAGS:
            self._problem(path, f"the tag {node.tag} is not allowed", node)
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                self._problem(path, "a key must be a plain string", key_node)
                continue
            key = str(key_node.value)
            inner = f"{path}.{key}" if path else key
            if key in result:
                self._problem(inner, "the key stands here twice", key_node)
            result[key] = self.build(value_node, inner)
        return result

    def _scalar(self, node: Node, path: str) -> Any:
        if node.tag == "tag:yaml.org,2002:timestamp":
            return node.value  # a date in a source reference is text to us
        try:
            return self._scalars.construct_object(node)
        except (ValueError, yaml.YAMLError) as error:
            self._problem(path, f"not a valid value: {error}", node)
            return None

    def _problem(self, path: str, message: str, node: Node) -> None:
        self.problems.append(Problem(path, message, node.start_mark.line + 1))
