"""Log lines as a process writes them: JSON, with the trace of the request they are about, and without secrets."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import logging, structlog
from glasnost.cli import logs
from glasnost.record.redactor import Redactor
redactor = Redactor()
logs.set_up("info", redactor)
redactor.learn(["known-secret-of-ours"])
with structlog.contextvars.bound_contextvars(trace_id="4bf9"):
    structlog.get_logger().info("ours", key="known-secret-of-ours")
    logging.getLogger("theirs").warning("shown %s", "known-secret-of-ours")
structlog.get_logger().info("outside")
try:
    raise KeyError("known-secret-of-ours") from ValueError("Authorization: Bearer abcdefgh12345678")
except KeyError:
    structlog.get_logger().exception("failed")
    logging.getLogger("theirs").exception("failed too")
"""


def test_a_line_names_the_trace_it_belongs_to_and_no_secret():
    ended = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    ours, theirs, outside, *failed = map(json.loads, ended.stderr.splitlines())
    assert (ours["event"], ours["trace_id"], ours["key"]) == ("ours", "4bf9", "[redacted]")
    assert (theirs["event"], theirs["trace_id"]) == ("shown [redacted]", "4bf9")
    assert "trace_id" not in outside
    assert [line["event"] for line in failed] == ["failed", "failed too"]
    assert all("KeyError: '[redacted]'" in line["exception"] for line in failed)
    assert not any(secret in ended.stderr for secret in ("known-secret", "abcdefgh"))
