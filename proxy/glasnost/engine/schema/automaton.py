"""Finite automata: built from the parts of a pattern, made deterministic, and written as rules.

llama.cpp follows every way that a grammar leaves open, for each character of each token, and forgets none that meet:
with two ways a character a token of thirty takes a billion steps. Of a deterministic automaton one way is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from glasnost.engine.grammar import Rules
from glasnost.engine.schema.characters import Characters, PatternError

MAX_STATES = 2000
# How many states, counted once for each set of them that they are in, may be looked at to make one deterministic.
MAX_WORK = 20_000
_LEAST_WORK = 20
# What one of them costs, in characters of a grammar.
_WEIGHT = 10

_States = frozenset[int]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an automaton that begins in one state and ends in another."""

    first: int
    last: int


class Automaton:
    """States with steps between them; PatternError when there are too many."""

    def __init__(self) -> None:
        self._free: list[list[int]] = []
        self._steps: list[list[tuple[Characters, int]]] = []
        self._whole = Part(0, 0)

    def one(self, characters: Characters) -> Part:
        """Add a step over one of these characters."""
        part = Part(self._state(), self._state())
        self._steps[part.first].append((characters, part.last))
        return part

    def row(self, parts: Iterable[Part]) -> Part:
        """Join parts to one that goes through all of them."""
        first = last = self._state()
        for part in parts:
            self._free[last].append(part.first)
            last = part.last
        return Part(first, last)

    def any_of(self, parts: Iterable[Part]) -> Part:
        """Join parts to one that goes through one of them."""
        whole = Part(self._state(), self._state())
        for part in parts:
            self._free[whole.first].append(part.first)
            self._free[part.last].append(whole.last)
        return whole

    def up_to(self, parts: Iterable[Part]) -> Part:
        """Join parts to one that goes through the first few of them, or none."""
        end = self._state()
        first = last = self._state()
        for part in parts:
            self._free[last] += [part.first, end]
            last = part.last
        self._free[last].append(end)
        return Part(first, end)

    def loop(self, part: Part) -> Part:
        """Give a part that goes through this one any number of times."""
        state = self._state()
        self._free[state].append(part.first)
        self._free[part.last].append(state)
        return Part(state, state)

    def finish(self, whole: Part) -> None:
        """Say where the automaton begins and ends."""
        self._whole = whole

    def write(self, rules: Rules, name: str, spend: Callable[[int], None]) -> str:
        """Add the rules of the strings that the automaton goes through, and give the name of the first.

        `spend` is told of the work before it is done, a character of a grammar being one.
        """
        table = self._deterministic(spend)
        alive = _reaching({state for state in table if self._whole.last in state}, table)
        start = next(iter(table))
        if start not in alive:
            raise PatternError("matches no text that can stand in JSON")
        names = {state: rules.name(name) for state in table if state in alive}
        for state, own in names.items():
            bodies = ['""'] if self._whole.last in state else []
            for target, characters in table[state].items():
                if target in alive:
                    spend(_WEIGHT)
                    bodies += [f"{body} {names[target]}" for body in characters.as_json()]
            rules.set(own, " | ".join(bodies))
            spend(0)
        return names[start]

    def _state(self) -> int:
        if len(self._steps) >= MAX_STATES:
            raise PatternError("has too many states; lower its repetitions")
        self._free.append([])
        self._steps.append([])
        return len(self._steps) - 1

    def _closure(self, states: Iterable[int]) -> _States:
        """Add what is reached without a character."""
        reached = set(states)
        work = list(reached)
        while work:
            for state in self._free[work.pop()]:
                if state not in reached:
                    reached.add(state)
                    work.append(state)
        return frozenset(reached)

    def _deterministic(self, spend: Callable[[int], None]) -> dict[_States, dict[_States, Characters]]:
        """Give the sets of states that are possible at once, the first first, each with its steps to others."""
        start = self._closure([self._whole.first])
        table: dict[_States, dict[_States, Characters]] = {}
        work, left = [start], MAX_WORK
        while work:
            states = work.pop()
            if states in table:
                continue
            work_here = max(len(states), _LEAST_WORK)
            left -= work_here
            if left < 0:
                raise PatternError("has too many states; lower its repetitions")
            spend(_WEIGHT * work_here)
            steps = [step for state in states for step in self._steps[state]]
            table[states] = self._apart(steps)
            work += table[states]
        return table

    def _apart(self, steps: list[tuple[Characters, int]]) -> dict[_States, Characters]:
        """Give the sets of states behind the steps, each with the characters that lead to exactly these."""
        by_class: dict[Characters, set[int]] = {}
        for characters, target in steps:
            by_class.setdefault(characters, set()).add(target)
        targets = list(by_class.values())
        events: dict[int, list[tuple[int, bool]]] = {}
        for number, characters in enumerate(by_class):
            for low, high in characters.ranges:
                events.setdefault(low, []).append((number, True))
                events.setdefault(high + 1, []).append((number, False))
        open_now: set[int] = set()
        ranges: dict[frozenset[int], list[tuple[int, int]]] = {}
        for low, after in pairwise(sorted(events)):
            for number, begins in events[low]:
                (open_now.add if begins else open_now.discard)(number)
            if open_now:
                ranges.setdefault(frozenset(open_now), []).append((low, after - 1))
        found: dict[_States, list[tuple[int, int]]] = {}
        for classes, where in ranges.items():
            states = self._closure(state for number in classes for state in targets[number])
            found.setdefault(states, []).extend(where)
        return {states: Characters.of(*where) for states, where in found.items()}


def _reaching(accepting: set[_States], table: Mapping[_States, Mapping[_States, Characters]]) -> set[_States]:
    """Give the sets of states from which an accepting one is reached by characters that JSON can hold."""
    before: dict[_States, list[_States]] = {}
    for state, steps in table.items():
        for target, characters in steps.items():
            if characters.as_json():
                before.setdefault(target, []).append(state)
    reaching, work = set(accepting), list(accepting)
    while work:
        for earlier in before.get(work.pop(), []):
            if earlier not in reaching:
                reaching.add(earlier)
                work.append(earlier)
    return reaching
