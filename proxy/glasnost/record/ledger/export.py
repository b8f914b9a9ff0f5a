"""The ends of exchanges as JSON Lines, CSV or Parquet, page by page."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TextIO, get_args

import orjson

from glasnost.errors import LedgerError
from glasnost.record.ledger.read import PAGE, Found
from glasnost.record.ledger.rows import COLUMNS, flat, whole

Format = Literal["jsonl", "csv", "parquet"]
FORMATS: tuple[str, ...] = get_args(Format)

#: A spreadsheet takes what begins so for a formula, and a formula can send what stands beside it to others.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_lines(found: Iterable[Found], out: TextIO) -> int:
    """Write every entry whole, a line each; give how many."""
    count = 0
    for count, each in enumerate(found, start=1):  # noqa: B007 - the count is the result
        out.write(orjson.dumps(whole(each)).decode() + "\n")
    return count


def write_csv(found: Iterable[Found], out: TextIO) -> int:
    """Write flat rows under a header; give how many."""
    writer = csv.DictWriter(out, list(COLUMNS))
    writer.writeheader()
    count = 0
    for count, each in enumerate(found, start=1):  # noqa: B007 - the same
        writer.writerow({name: harmless(value) for name, value in flat(each).items()})
    return count


def write_parquet(found: Iterable[Found], path: Path) -> int:
    """Write flat rows to a file; give how many. Raises LedgerError without the extra."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and large
        from pyarrow import parquet  # noqa: PLC0415 - the same
    except ModuleNotFoundError:
        raise LedgerError("Parquet needs pyarrow; install glasnost[parquet].") from None
    kinds: dict[type, Any] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for rows in _pages(map(flat, found)):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            count += len(rows)
    return count


def harmless(value: Any) -> Any:
    """Give a value that no spreadsheet runs."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


WRITERS: dict[str, Callable[[Iterable[Found], TextIO], int]] = {"jsonl": write_lines, "csv": write_csv}


def _pages(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    page: list[dict[str, Any]] = []
    for row in rows:
        page.append(row)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page
