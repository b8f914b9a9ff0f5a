"""Our text of the metrics is the library's own, byte by byte, at every scrape and in every format."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    enable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import choose_encoder

from glasnost.record.exposition import Exposition

FORMATS = (
    "",
    "text/plain;version=0.0.4",
    "text/plain;version=1.0.0;escaping=allow-utf-8",
    "application/openmetrics-text",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
    "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,text/plain;version=0.0.4;q=0.2",
)

labels = st.tuples(st.text(max_size=6), st.sampled_from(["a", 'q"\\\n', " ", "é 中", "\u2028"]))
# 0.0 and -0.0 are one number, of which the text that was there stays.
numbers = st.floats(min_value=0, allow_nan=False).map(lambda number: number + 0.0)
acts = st.lists(
    st.tuples(st.sampled_from(["count", "observe", "set", "clear", "function"]), labels, numbers), max_size=8
)


@pytest.fixture(autouse=True, scope="module")
def _without_created():
    disable_created_metrics()
    yield
    enable_created_metrics()


class Families:
    def __init__(self):
        self.registry = CollectorRegistry()
        self.counter = Counter("c_total", 'Help \\ "with"\nlines.', ("x", "y"), registry=self.registry)
        self.histogram = Histogram("h", "Help.", ("y", "x"), buckets=(0.005, 1, 2500000), registry=self.registry)
        self.below_zero = Histogram("below", "Has no sum.", buckets=(-1, 1), registry=self.registry)
        self.gauge = Gauge("g", "Help.", ("x", "y"), registry=self.registry)
        self.plain = Counter("plain", "Without labels.", registry=self.registry)
        self.info = Gauge("build_info", "Always 1.", registry=self.registry)
        self.registry.register(self)

    def collect(self):
        yield CounterMetricFamily("collected", "Made at every scrape.", value=self.plain._value.get())

    def act(self, what, values, number):
        if what == "count":
            self.counter.labels(*values).inc(number)
            self.plain.inc(number)
        elif what == "observe":
            self.histogram.labels(*values).observe(number)
            self.below_zero.observe(number)
        elif what == "set":
            self.gauge.labels(*values).set(-number if number else 0.0)
        elif what == "clear":
            self.gauge.clear()
        else:
            self.info.set_function(lambda: number)


def assert_same(exposition, registry, accept):
    encode, media_type = choose_encoder(accept)
    assert exposition.write(accept) == (encode(registry), media_type)


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, min_size=1, max_size=4))
def test_every_scrape_is_what_the_library_writes(rounds):
    families = Families()
    exposition = Exposition(families.registry)
    for each in rounds:
        for act in each:
            families.act(*act)
        for accept in FORMATS:
            assert_same(exposition, families.registry, accept)


@pytest.mark.parametrize("number", [math.inf, 1e16, 123456789.0, 1e-9, 0.1 + 0.2])
def test_numbers_are_written_as_the_library_writes_them(number):
    families = Families()
    exposition = Exposition(families.registry)
    families.act("count", ("a", "b"), number)
    assert_same(exposition, families.registry, "")


def test_formats_that_nobody_has_heard_of_do_not_fill_the_memory():
    families = Families()
    exposition = Exposition(families.registry)
    for version in range(1, 50):
        assert_same(exposition, families.registry, f"application/openmetrics-text;version={version}.0.0")
    assert len(exposition._words) <= 4
