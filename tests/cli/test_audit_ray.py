from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from glasnost.cli import archive_ray
from glasnost.cli.archive import Judge, Judged, read_lines
from glasnost.cli.archive_ray import PieceJudge, cut
from glasnost.cli.load import load_policy
from harbour import FACT, QUESTION, REFUSAL

pytestmark = pytest.mark.processes

with_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra `ray`)")
ANSWERS = (FACT, REFUSAL, "Who knows?")
BAD = [b"{no json", b"", b"[1]", b'{"prompt": "\xff", "response": "x"}', b'{"response": "x"}', b"  "]


def write_rows(path, longest):
    """Write 600 rows of which a fourth have the longest answer, and bad lines among them."""
    asked, answers = (QUESTION, "Hello?"), (*ANSWERS, longest)
    good = [json.dumps({"prompt": asked[n % 5 == 0], "response": answers[n % 4]}).encode() for n in range(600)]
    good[100:100], good[480:480] = BAD, BAD
    path.write_bytes(b"\n".join(good))
    return path


@pytest.fixture
def rows(tmp_path):
    return write_rows(tmp_path / "in.jsonl", "I'd rather not say. " * 600)


# Ray starts a dozen processes of its own, which nobody wants to measure, and which are slow to start if they are.
UNMEASURED = "import os; os.environ.pop('COVERAGE_PROCESS_CONFIG', None); from glasnost.cli import main; main()"


def glasnost_audit(*words):
    command = [sys.executable, "-c", UNMEASURED, "audit", *map(str, words)]
    return subprocess.run(command, capture_output=True, timeout=280, check=False)


def untimed(data):
    return [{**json.loads(line), "micros": 0} for line in data.splitlines()]


def told(done):
    # What Ray's own C++ code has to say begins with the time, and cannot be switched off below its fatal errors.
    return [line for line in done.stderr.splitlines() if not line.startswith((b"auditing", b"[20"))]


@with_ray
@pytest.mark.timeout(600)
@pytest.mark.flaky(reruns=1)  # Ray gives its own processes fixed times to start, which a busy machine may not keep
def test_ray_gives_the_rows_the_messages_and_the_exit_status_of_a_local_run(tmp_path, rows, pack):
    assert len(list(cut(rows, archive_ray.PIECE))) > 1
    words = (rows, "--pack", pack, "--workers", 2, "--on-topic")
    out = tmp_path / "out.jsonl"
    alone, spread = glasnost_audit(*words), glasnost_audit(*words, "--ray", "--out", out)
    assert (spread.returncode, spread.stdout) == (alone.returncode, b"") == (1, b"")
    assert untimed(out.read_bytes()) == untimed(alone.stdout)
    assert len(untimed(alone.stdout)) == 600
    assert told(spread) == told(alone)
    assert b"line 101 is skipped" in told(spread)[0]


@pytest.mark.parametrize("size", [1, 300, 5_000, 1 << 30])
def test_pieces_of_any_size_hold_the_lines_of_the_file_once_with_their_numbers(tmp_path, pack, size):
    pyarrow = pytest.importorskip("pyarrow")
    rows = write_rows(tmp_path / "in.jsonl", "I'd rather not say. " * 5)
    judge = PieceJudge(str(rows), (str(pack),), on_topic=False)
    pieces = list(cut(rows, size))
    assert sum(piece["length"] for piece in pieces) == rows.stat().st_size
    judged = [Judged(**each) for piece in pieces for each in judge(pyarrow.Table.from_pylist([piece])).to_pylist()]
    with rows.open("rb") as file:
        whole = Judge(load_policy((str(pack),)), on_topic=False).batch(list(read_lines(file)))
    assert [(each.number, each.problem, each.censored) for each in judged] == [
        (each.number, each.problem, each.censored) for each in whole
    ]


def test_a_line_without_end_is_a_bad_row_of_its_piece_and_is_not_read_whole(tmp_path, pack, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")
    monkeypatch.setattr(archive_ray, "LONGEST_LINE", 100)
    monkeypatch.setattr("glasnost.cli.archive.LONGEST_LINE", 100)
    monkeypatch.setattr(archive_ray, "PIECE", 10)
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"a\n" + b"b" * 1_000 + b"\nc\n")
    pieces = list(cut(path, archive_ray.PIECE))
    assert pieces == [{"start": 0, "length": 1_003, "first": 1}, {"start": 1_003, "length": 2, "first": 3}]
    judge = PieceJudge(str(path), (str(pack),), on_topic=False)
    judged = judge(pyarrow.Table.from_pylist(pieces)).to_pylist()
    assert [(each["number"], "is longer than" in each["problem"]) for each in judged] == [
        (1, False),
        (2, True),
        (3, False),
    ]


def test_an_empty_file_has_no_piece(tmp_path):
    (tmp_path / "empty").touch()
    assert list(cut(tmp_path / "empty", 1)) == []


def test_without_ray_the_message_says_what_to_install(rows):
    hidden = "import sys; sys.modules['ray'] = None; from glasnost.cli import main; main()"
    command = [sys.executable, "-c", hidden, "audit", str(rows), "--ray"]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 2
    assert b"pip install 'glasnost[ray]'" in done.stderr
    assert b"Traceback" not in done.stderr


def test_what_only_this_process_can_read_is_refused(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for source in ("-", pipe):
        done = glasnost_audit(source, "--ray", "--out", tmp_path / "out")
        assert done.returncode == 2
        assert b"a file that every worker can open" in done.stderr
