"""Metrics of several worker processes as one: each counts into files that all can read, and any of them tells the sum.

Rules kept here:
- a file belongs to a worker's number, not to its process: the one that takes a dead worker's place goes on counting
  where that one was killed, so that no counter goes backwards and no more files come about;
- counters and histograms are added up; a gauge is the sum, the smallest or the largest of the workers that live, as its
  `multiprocess_mode` says, which begins with `live` for every gauge of the gateway;
- who watches over the workers takes away the gauges of one that is gone.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

_COMBINED: dict[str, Callable[[Iterable[float]], float]] = {"livesum": sum, "livemin": min, "livemax": max}


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of a gateway, as one of them sees them: the folder that all share, and its own number."""

    folder: Path
    number: int

    def started(self) -> None:
        """Say that this worker serves."""
        (self.folder / f"started-{self.number}").touch()

    def complete(self) -> bool:
        """Say whether all workers have come to serve, even if one was lost and replaced since."""
        return (self.folder / "complete").exists()


def serves(folder: Path, number: int) -> bool:
    """Say whether the worker of this number has come to serve."""
    return (folder / f"started-{number}").exists()


def all_started(folder: Path, count: int) -> bool:
    """Say whether each of so many workers serves; once they do, the crew is complete."""
    if not all(serves(folder, number) for number in range(count)):
        return False
    (folder / "complete").touch()
    return True


def take_away(folder: Path, number: int) -> None:
    """Remove what held only as long as a worker lived."""
    for path in (folder / f"started-{number}", *folder.glob(f"gauge_*_{number}.db")):
        path.unlink(missing_ok=True)


class Shared:
    """The numbers of all workers; to be made before the first metric of a process, and for all of them."""

    def __init__(self, crew: Crew) -> None:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(crew.folder)
        values.ValueClass = values.MultiProcessValue(lambda: crew.number)  # type: ignore[no-untyped-call]
        self._crew = crew
        self._met: set[str] = set()
        self._files: dict[Path, _Counts] = {}
        self._sums: dict[str, float] = {}
        self._gauges: dict[str, list[float]] = {}

    def begin(self, families: Mapping[str, Any]) -> None:
        """Read what the others have counted, and let series that only they have begin here too."""
        self._sums, self._gauges = {}, {}
        for path in self._crew.folder.glob("*.db"):
            if path.stem.rpartition("_")[2] == str(self._crew.number):
                continue
            new = self._read_gauges(path) if path.stem.startswith("gauge_") else self._add(path)
            for key in new:
                if key not in self._met:
                    _begin_series(key, families)
                    self._met.add(key)

    def number(self, value: Any) -> float:
        """Give the sum of a counter or of a part of a histogram."""
        return float(value.get()) + self._sums.get(value._key, 0.0)  # noqa: SLF001 - its place in the files

    def gauge(self, series: Any) -> float:
        """Give what the living workers come to."""
        value = series._value  # noqa: SLF001 - the library reads no other worker's
        combined = _COMBINED[series._multiprocess_mode]  # noqa: SLF001 - as it was made
        return float(combined([value.get(), *self._gauges.get(value._key, ())]))  # noqa: SLF001 - as above

    def _add(self, path: Path) -> list[str]:
        """Add the counts of a file; give the keys that it did not have before."""
        file = self._files.setdefault(path, _Counts(path))
        new = file.read()
        for key, count in zip(file.keys, file.numbers, strict=True):
            if count:
                self._sums[key] = self._sums.get(key, 0.0) + count
        return new

    def _read_gauges(self, path: Path) -> list[str]:
        try:
            told = list(MmapedDict.read_all_values_from_file(path))  # type: ignore[no-untyped-call]
        except (FileNotFoundError, struct.error):  # of a worker that has just gone, or has just come
            return []
        for key, value, _, _ in told:
            self._gauges.setdefault(key, []).append(value)
        return [key for key, *_ in told]


class _Counts:
    """A file of counts: it only grows, and its keys stay where they are.

    It begins with the length in use as an integer of 4 bytes in 8; then each key follows with its length before it,
    filled up with spaces to a multiple of 8, and its number and a time as two doubles.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end = 8
        self._places: list[int] = []
        self.keys: list[str] = []
        self.numbers: list[float] = []

    def read(self) -> list[str]:
        """Read all numbers; give the keys that are new."""
        data = self._path.read_bytes()
        used = _length(data, 0) if len(data) >= self._end else 0
        known = len(self.keys)
        while self._end < used:
            length = _length(data, self._end)
            begin, self._end = self._end + 4, self._end + -(-(4 + length + 1) // 8) * 8
            self.keys.append(data[begin : begin + length].decode())
            self._places.append(self._end // 8)
            self._end += 16
        doubles = memoryview(data)[: self._end].cast("d") if self._places else ()
        self.numbers = [doubles[place] for place in self._places]
        return self.keys[known:]


def _length(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], sys.byteorder)


def _begin_series(key: str, families: Mapping[str, Any]) -> None:
    name, _, labels, _ = json.loads(key)
    labels.pop("le", None)
    family = families.get(name)
    if family is not None and labels:
        family.labels(**labels)
