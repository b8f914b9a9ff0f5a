"""An archive judged by Ray Data: pieces of a file, each read and judged by whichever process of a cluster takes it."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glasnost.cli.archive import LONGEST_LINE, Judge, Judged, read_lines
from glasnost.cli.load import load_policy
from glasnost.errors import GlasnostError

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 1 << 20  # bytes: some hundreds of rows, a second of work; a line that is longer is a piece of its own

_CLUSTER = "RAY_ADDRESS"  # Ray's own name for where a running cluster is


class RayFailed(GlasnostError):
    """Ray is not installed, cannot be reached, or gave up."""


def judge_pieces(file: Path, packs: tuple[str, ...], workers: int, *, on_topic: bool) -> Iterator[list[Judged]]:
    """Judge a file piece by piece, in order, on the cluster of RAY_ADDRESS or on one that this call starts and ends.

    What goes to a worker is where its piece lies, so every worker must be able to open the file and the packs by the
    same path. Raises PolicyError for a pack that cannot be read, and RayFailed for what Ray cannot do.
    """
    load_policy(packs)  # tells what is wrong with it before anything is started
    pieces = list(cut(file, PIECE))
    ray = _ray()
    try:
        _start(ray, workers)
        made = {"file": str(file.absolute()), "packs": tuple(map(_absolute, packs)), "on_topic": on_topic}
        yield from map(_judged, _tables(ray, pieces, workers, made))
    except ray.exceptions.RayError as error:
        raise RayFailed(f"Ray gave up: {_reason(error)}") from error
    finally:
        ray.shutdown()


def cut(file: Path, size: int) -> Iterator[dict[str, int]]:
    """Give the pieces of a file, whole lines each: where one starts, how many bytes it has, its first line's number."""
    start = length = 0
    first = number = 1
    with file.open("rb") as source:
        while line := source.readline(LONGEST_LINE):
            length += len(line)
            number += line.endswith(b"\n")
            if length >= size and line.endswith(b"\n"):
                yield {"start": start, "length": length, "first": first}
                start, length, first = start + length, 0, number
    if length:
        yield {"start": start, "length": length, "first": first}


class PieceJudge:
    """The judge of one worker process; Ray makes it once and calls it with a table of pieces."""

    def __init__(self, file: str, packs: tuple[str, ...], *, on_topic: bool) -> None:
        self._file = file
        self._judge = Judge(load_policy(packs), on_topic=on_topic)

    def __call__(self, pieces: pa.Table) -> pa.Table:
        """Give the verdicts of some pieces, a record a line."""
        import pyarrow as pa  # noqa: PLC0415 - comes with the extra `ray`

        judged = [each for piece in pieces.to_pylist() for each in self._piece(**piece)]
        return pa.table(
            {
                "number": pa.array([each.number for each in judged], pa.int64()),
                "row": pa.array([each.row for each in judged], pa.large_binary()),
                "problem": pa.array([each.problem for each in judged], pa.string()),
                "censored": pa.array([each.censored for each in judged], pa.bool_()),
            }
        )

    def _piece(self, start: int, length: int, first: int) -> list[Judged]:
        with Path(self._file).open("rb") as source:
            source.seek(start)
            # Of a line that is too long, which ends its piece, only the start is read.
            read = io.BytesIO(source.read(min(length, PIECE + LONGEST_LINE + 1)))
        return self._judge.batch(list(read_lines(read, first)))


def _ray() -> Any:
    # Read when Ray is imported or started: it reports its use to its makers otherwise, and tells all it does.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_DATA_LOG_LEVEL", "ERROR")
    try:
        import ray  # noqa: PLC0415 - large, and an extra
        import ray.data  # noqa: PLC0415 - the same
    except ImportError as error:
        raise RayFailed(f"--ray needs Ray ({error}): pip install 'glasnost[ray]'") from error
    return ray


def _start(ray: Any, workers: int) -> None:
    logging.getLogger("ray").setLevel(logging.ERROR)  # what is said before `init` sets its level
    alone = {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    ray.init(log_to_driver=False, logging_level=logging.ERROR, **({} if os.environ.get(_CLUSTER) else alone))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = True


def _tables(ray: Any, pieces: list[dict[str, int]], workers: int, made: dict[str, Any]) -> Iterator[Any]:
    """Give the tables of verdicts in order; every worker has a PieceJudge made of `made`."""
    if not pieces:
        return
    judged = ray.data.from_items(pieces, override_num_blocks=len(pieces)).map_batches(
        PieceJudge,
        batch_size=1,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
        fn_constructor_kwargs=made,
    )
    yield from judged.iter_batches(batch_size=None, batch_format="pyarrow")


def _judged(table: Any) -> list[Judged]:
    return [Judged(**record) for record in table.to_pylist()]


def _absolute(pack: str) -> str:
    """Give a pack's folder by the path that workers can use; the name of a shipped one stays."""
    return str(Path(pack).absolute()) if Path(pack).is_dir() else pack


def _reason(error: Exception) -> str:
    """Give the last line of Ray's message, which holds the cause under the traceback of the worker."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
