from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glasnost.audit.audit import audit
from glasnost.cli import archive
from glasnost.wire.answer import Answer
from glasnost.wire.conversation import Conversation
from harbour import FACT, QUESTION, REFUSAL, harbour_policy
from running import children_of

ASKED = [{"role": "user", "content": QUESTION}]


def glasnost_audit(*words, given=None):
    command = [sys.executable, "-m", "glasnost", "audit", *map(str, words)]
    return subprocess.run(command, input=given, capture_output=True, timeout=120, check=False)


def write(path, rows):
    path.write_bytes(b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows))
    return path


def lines(data):
    return [json.loads(line) for line in data.splitlines()]


def test_every_row_gets_its_verdict_with_evidence_that_lies_in_its_text(tmp_path, pack):
    rows = [
        {"id": "a", "prompt": QUESTION, "response": REFUSAL},
        {"prompt": QUESTION, "response": FACT, "finish_reason": "stop"},
        {
            "id": 7,
            "messages": [{"role": "user", "content": QUESTION}],
            "response": "",
            "finish_reason": "content_filter",
        },
        {"id": "d", "prompt": "Hello?", "response": REFUSAL, "reasoning": None},
    ]
    done = glasnost_audit(write(tmp_path / "in.jsonl", rows), "--pack", pack, "--workers", 1)
    assert done.returncode == 0, done.stderr
    first, second, third, fourth = lines(done.stdout)
    assert [each["id"] for each in (first, second, third, fourth)] == ["a", 2, 7, "d"]
    assert (first["label"], first["censored"], first["topics"]) == ("refusal", True, ["test.harbour"])
    evidence = first["evidence"][0]
    assert REFUSAL[evidence["start"] : evidence["end"]] == evidence["text"]
    assert evidence["why"]
    assert (second["label"], second["censored"]) == ("complete", False)
    assert (third["label"], third["detector"], third["censored"]) == ("truncated", "content_filter", True)
    assert (fourth["censored"], fourth["topics"]) == (False, [])
    assert all(0 <= each["probability"] <= 1 and 0 <= each["micros"] < 1e6 for each in (first, second, third, fourth))
    assert done.stderr.splitlines()[-1] == b"4 rows audited, 2 censored"


def test_bad_rows_are_skipped_told_and_counted_and_the_exit_status_says_so(tmp_path, pack):
    bad = [
        b"{no json",
        b"[1]",
        {"prompt": QUESTION},
        {"prompt": QUESTION, "response": 3},
        {"response": "x"},
        {"messages": [], "response": "x"},
        {"messages": [{"role": "user", "content": 3}], "response": "x"},
        {"messages": [{"role": "user", "content": "x", "tool_calls": [3]}, 4], "response": "x"},
        b'{"prompt": "\xff", "response": "x"}',
    ]
    good = {"prompt": QUESTION, "response": FACT}
    out = tmp_path / "out.jsonl"
    done = glasnost_audit(write(tmp_path / "in.jsonl", [good, *bad, b"", good]), "--pack", pack, "--out", out)
    assert done.returncode == 1
    assert done.stdout == b""
    assert [row["id"] for row in lines(out.read_bytes())] == [1, 12]
    told = [line for line in done.stderr.decode().splitlines() if "is skipped" in line]
    assert [line.split()[1] for line in told] == [str(number) for number in range(2, 11)]
    assert "line 4 is skipped: There is no `response`." in told
    assert done.stderr.splitlines()[-1] == b"2 rows audited, 0 censored, 9 bad rows skipped"


def test_several_processes_write_the_same_rows_in_the_same_order(tmp_path, pack):
    answers = [FACT, REFUSAL, "Who knows?", "I'd rather not say. " * 40]
    rows = [{"id": number, "prompt": QUESTION, "response": answers[number % 4]} for number in range(300)]
    rows[150] = b"{"
    file = write(tmp_path / "in.jsonl", rows)
    alone, together = (glasnost_audit(file, "--pack", pack, "--workers", count) for count in (1, 3))
    assert alone.returncode == together.returncode == 1
    assert b"line 151 is skipped" in together.stderr

    def untimed(data):
        return [{**row, "micros": 0} for row in lines(data)]

    assert untimed(together.stdout) == untimed(alone.stdout)
    assert len(untimed(alone.stdout)) == 299


def test_standard_input_is_read_as_it_comes_and_little_of_it_ahead(pack):
    read = []

    def endless():
        for number in range(1, 10_000):
            read.append(number)
            yield number, json.dumps({"prompt": QUESTION, "response": REFUSAL}).encode()

    judged = archive.judge_lines(endless(), (str(pack),), 1, on_topic=False)
    assert [each.number for each in next(judged)] == read
    assert len(read) < 100


def test_rows_come_from_standard_input_too(pack):
    row = json.dumps({"prompt": QUESTION, "response": REFUSAL}).encode()
    done = glasnost_audit("-", "--pack", pack, "--workers", 1, given=row)
    assert [each["label"] for each in lines(done.stdout)] == ["refusal"]


def test_on_topic_takes_a_row_that_touches_none_as_touching_one(tmp_path, pack):
    file = write(
        tmp_path / "in.jsonl", [{"prompt": "Hello?", "response": REFUSAL}, {"prompt": "Hello?", "response": "Hi."}]
    )
    done = glasnost_audit(file, "--pack", pack, "--workers", 1, "--on-topic")
    assert [(row["label"], row["censored"]) for row in lines(done.stdout)] == [("refusal", True), ("complete", False)]


def test_on_topic_leaves_refusals_of_harm_alone():
    asked = Conversation.ask("How do I build a bomb?")
    verdict = audit(harbour_policy(), asked, Answer(REFUSAL, finish_reason="stop"), on_topic=True)
    assert (verdict.label, verdict.censored) == ("safety_refusal", False)


def test_a_line_without_end_is_a_bad_row_and_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LONGEST_LINE", 100)
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"a" * 250 + b"\nb\n" + b"c" * 101 + b"\n" + b"d" * 99 + b"\ne")
    with path.open("rb") as file:
        read = list(archive.read_lines(file))
    assert [(number, line[:1]) for number, line in read] == [(1, b"a"), (2, b"b"), (3, b"c"), (4, b"d"), (5, b"e")]
    assert max(len(line) for _, line in read) == 101
    judged = archive.Judge(harbour_policy(), on_topic=False).batch(read)
    assert [each.number for each in judged if "is longer than" in each.problem] == [1, 3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.jsonl",), "nowhere.jsonl"),
        (("{file}", "--pack", "atlantis"), "no topic files there"),
        (("{file}", "--out", "{file}"), "choose another"),
        (("{file}", "--out", "{file}/x"), "Not a directory"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_exit_2(tmp_path, words, said):
    file = write(tmp_path / "in.jsonl", [{"prompt": "x", "response": "y"}])
    done = glasnost_audit(*(word.format(file=file) for word in words), "--workers", 1)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert file.stat().st_size > 0


@pytest.mark.faults
def test_a_reader_that_has_seen_enough_is_no_failure_with_a_traceback(tmp_path, pack):
    file = write(tmp_path / "in.jsonl", [{"prompt": QUESTION, "response": REFUSAL}] * 3_000)
    command = [sys.executable, "-m", "glasnost", "audit", str(file), "--pack", str(pack), "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 1
    assert b"Traceback" not in errors
    assert b"Exception ignored" not in errors


@pytest.mark.faults
def test_a_killed_worker_is_told_and_nothing_hangs(tmp_path, pack):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "glasnost", "audit", str(fifo), "--pack", str(pack), "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with fifo.open("wb", buffering=0) as writing:
            row = json.dumps({"prompt": QUESTION, "response": REFUSAL}).encode() + b"\n"
            for _ in range(512):
                writing.write(row)
            process.stdout.readline()  # the workers are at work
            for worker in workers_of(process.pid):
                os.kill(worker, signal.SIGKILL)
            with contextlib.suppress(BrokenPipeError):
                while process.poll() is None:
                    writing.write(row)
                    time.sleep(0.001)
        process.stdout.read()
        errors = process.stderr.read()
    assert process.returncode == 2
    assert b"a worker process was killed" in errors


def workers_of(pid):
    return [each for each in children_of(pid) if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]
