"""Metrics as text: what the library writes, with the words of every series remembered so that only numbers are new.

`prometheus_client` puts names, labels and escapes together again at every scrape, which is most of its work. Here it
writes each series once; what stands before its number is kept. What is not a counter, histogram or gauge of the
library is written by the library each time. The times at which series began (`_created`) are left out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import methodcaller
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

#: The end of an OpenMetrics text.
_EOF = b"# EOF\n"
_CREATED = "_created"
#: Formats whose words are kept; who asks for ever new versions must not fill the memory.
_FORMATS = 4

_written: Callable[[float], str] = floatToGoString

Family = Counter | Gauge | Histogram
Encoder = Callable[[Collector], bytes]
#: The label values of a series, or of all those of a histogram.
Values = tuple[str, ...]
Numbers = tuple[float, ...]


class Read(Protocol):
    """Where the number of a series is read, from the library's value of it."""

    def begin(self, families: Mapping[str, Family]) -> None:
        """Get ready to be asked; families by their names, without `_total`."""
        ...

    def number(self, value: Any) -> float:
        """Give the number of a counter or of a part of a histogram."""
        ...

    def gauge(self, series: Any) -> float:
        """Give the number of a gauge."""
        ...


class Own:
    """The numbers of this process."""

    def begin(self, families: Mapping[str, Family]) -> None:
        """Nothing is read ahead."""

    #: What was counted.
    number = staticmethod(methodcaller("get"))

    def gauge(self, series: Any) -> float:
        """Give what was set, or what a function says."""
        return float(next(iter(series._child_samples())).value)  # noqa: SLF001 - it may be a function's


class Exposition:
    """Writes the metrics of one registry."""

    def __init__(self, registry: CollectorRegistry, read: Read | None = None) -> None:
        self._registry = registry
        self._read = read or Own()
        self._words: dict[str, dict[Family, _Words]] = {}
        self._lock = threading.Lock()

    def write(self, accept: str) -> tuple[bytes, str]:
        """Give the text in the format that an `Accept` header asks for, and its media type."""
        encode, media_type = choose_encoder(accept)
        with self._lock:
            collectors: Sequence[Collector] = tuple(self._registry._collector_to_names)  # noqa: SLF001 - collect() builds every sample
            families = [each for each in collectors if isinstance(each, Counter | Gauge | Histogram)]
            self._read.begin({family._name: family for family in families})  # noqa: SLF001 - as above
            parts = [self._part(collector, encode, media_type) for collector in collectors]
            end = _EOF if encode(_Only([])) == _EOF else b""
        return b"".join([*parts, end]), media_type

    def _part(self, collector: Collector, encode: Encoder, media_type: str) -> bytes:
        if not isinstance(collector, Counter | Gauge | Histogram):
            return encode(_Only(collector.collect())).removesuffix(_EOF)
        if media_type not in self._words and len(self._words) >= _FORMATS:
            self._words.clear()
        known = self._words.setdefault(media_type, {})
        if collector not in known:
            known[collector] = _Words(collector, encode)
        return known[collector].with_numbers(self._read).encode()


class _Only(Collector):
    """A registry of these metrics alone."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


class _Lines:
    """The lines of one series; most say at a scrape what they said at the last."""

    __slots__ = ("_numbers", "_text", "_words")

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._numbers: Numbers = ()
        self._text = ""

    def text(self, numbers: Numbers) -> str:
        if numbers != self._numbers:
            pairs = zip(self._words, numbers, strict=True)
            self._text = "".join([f"{words}{_written(number)}\n" for words, number in pairs])
            self._numbers = numbers
        return self._text


class _Words:
    """The text of a family without its numbers, as an encoder writes it."""

    def __init__(self, family: Family, encode: Encoder) -> None:
        self._family = family
        self._encode = encode
        self._head = ""
        self._known: dict[Values, _Lines] = {}

    def with_numbers(self, read: Read) -> str:
        """Write all series there are now."""
        series = _series(self._family)
        self._learn({values: each for values, each in series.items() if values not in self._known})
        known, numbers_of = self._known, _numbers_of(self._family, read)
        return self._head + "".join([known[values].text(numbers_of(each)) for values, each in series.items()])

    def _learn(self, new: Mapping[Values, Any]) -> None:
        """Let the encoder write these series, and keep what stands before the last space of each line."""
        if not new and self._head:
            return
        metric = next(iter(self._family.describe()))
        names = self._family._labelnames  # noqa: SLF001 - its names have no other door
        counts = []
        for values, each in new.items():
            samples = [sample for sample in each._child_samples() if sample.name != _CREATED]  # noqa: SLF001 - as above
            counts.append(len(samples))
            for sample in samples:
                labels = dict(zip(names, values, strict=True)) | sample.labels
                metric.add_sample(f"{metric.name}{sample.name}", labels, sample.value)
        # Not splitlines(): a label may hold what it takes for the end of a line.
        *lines, _ = self._encode(_Only([metric])).removesuffix(_EOF).decode().split("\n")
        heads = len(lines) - sum(counts)
        self._head = "".join(f"{line}\n" for line in lines[:heads])
        rest = iter(lines[heads:])
        for values, count in zip(new, counts, strict=True):
            self._known[values] = _Lines([next(rest).rpartition(" ")[0] + " " for _ in range(count)])


def _series(family: Any) -> Mapping[Values, Any]:
    if not family._labelnames:  # noqa: SLF001 - a family without labels is its own only series
        return {(): family}
    with family._lock:  # noqa: SLF001 - series are added by requests
        return dict(family._metrics)  # noqa: SLF001 - the same


def _numbers_of(family: Family, read: Read) -> Callable[[Any], Numbers]:
    """Give what reads the numbers of a series in the order of its lines."""
    number = read.number
    if isinstance(family, Histogram):
        return lambda series: _of_histogram(series, number)
    if isinstance(family, Gauge):
        return lambda series: (read.gauge(series),)
    return lambda series: (number(series._value),)  # noqa: SLF001 - as above


def _of_histogram(series: Any, number: Callable[[Any], float]) -> Numbers:
    counts = tuple(accumulate(map(number, series._buckets)))  # noqa: SLF001 - as above
    # What may be below zero has no sum.
    total = (number(series._sum),) if series._upper_bounds[0] >= 0 else ()  # noqa: SLF001 - as above
    return (*counts, counts[-1], *total)
