"""The watch over worker processes, with small programs in their place."""

import os
import signal
import socket
import sys
import threading
import time

import pytest

from glasnost.server.workers import Workers

#: Says that it serves, after what it is told to do before.
WORKER = """
import pathlib, signal, sys, time
folder, number = pathlib.Path(sys.argv[1]), sys.argv[2]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(CODE)))
signal.signal(signal.SIGHUP, lambda *_: (folder / f"reloaded-{number}").touch())
with open(folder / "lives", "a") as lives:
    print(number, file=lives)
BEFORE
(folder / f"started-{number}").touch()
while True:
    time.sleep(0.01)
"""


@pytest.fixture
def run(tmp_path):
    """Give what runs two workers until they end, `meanwhile` in another thread; gives the exit code."""

    def run(before="", *, code=0, meanwhile=lambda: None):
        program = WORKER.replace("CODE", str(code)).replace("BEFORE", before)
        beside = threading.Thread(target=meanwhile)
        beside.start()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            arguments = [sys.executable, "-S", "-c", program, str(tmp_path)]
            workers = Workers(lambda number: [*arguments, str(number)], 2, tmp_path, listener)
            result = workers.run()
        beside.join(60)
        return result

    return run


def wait_until(true):
    deadline = time.monotonic() + 60
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)


def stop():
    os.kill(os.getpid(), signal.SIGTERM)


def lives(folder):
    path = folder / "lives"
    return sorted(path.read_text().split()) if path.exists() else []


def test_a_worker_that_ends_before_all_serve_ends_the_gateway_with_its_code(run, tmp_path):
    assert run("if number == '1': sys.exit(3)") == 3
    assert not (tmp_path / "complete").exists()
    assert lives(tmp_path) == ["0", "1"]


def test_a_worker_that_ends_in_silence_before_all_serve_is_a_failure_too(run):
    assert run("if number == '1': sys.exit(0)") == 1


@pytest.mark.parametrize(("code", "result"), [(0, 0), (4, 4)])
def test_a_stop_is_passed_on_and_the_worst_end_counts(run, tmp_path, code, result):
    def meanwhile():
        wait_until((tmp_path / "complete").exists)
        stop()

    assert run(code=code, meanwhile=meanwhile) == result
    assert lives(tmp_path) == ["0", "1"]


def test_a_hangup_is_passed_on(run, tmp_path):
    def meanwhile():
        wait_until((tmp_path / "complete").exists)
        os.kill(os.getpid(), signal.SIGHUP)
        wait_until(lambda: len(list(tmp_path.glob("reloaded-*"))) == 2)
        stop()

    assert run(meanwhile=meanwhile) == 0
    assert len(list(tmp_path.glob("reloaded-*"))) == 2


def test_a_worker_that_dies_later_is_replaced_after_a_pause_and_its_gauges_are_gone(run, tmp_path):
    (tmp_path / "gauge_livesum_1.db").touch()
    (tmp_path / "counter_1.db").touch()
    (tmp_path / "gauge_livesum_11.db").touch()
    dies = "if number == '1' and not (folder / 'again').exists():\n"
    dies += "    (folder / 'again').touch(); (folder / 'started-1').touch(); time.sleep(2); sys.exit(9)"

    def meanwhile():
        wait_until(lambda: len(lives(tmp_path)) == 3)
        stop()

    assert run(dies, meanwhile=meanwhile) == 0
    assert lives(tmp_path) == ["0", "1", "1"]
    assert not (tmp_path / "gauge_livesum_1.db").exists()
    assert (tmp_path / "counter_1.db").exists()
    assert (tmp_path / "gauge_livesum_11.db").exists()


def test_what_a_process_does_at_signals_is_as_it_was(run):
    before = signal.getsignal(signal.SIGTERM)
    run("sys.exit(3)")
    assert signal.getsignal(signal.SIGTERM) == before
