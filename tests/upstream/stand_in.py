"""A child for the supervisor's tests: a tiny HTTP server on a Unix socket that can be told to misbehave.

Arguments: socket, then any of `slow=SECONDS` (before it listens), `fail` (ends at once), `deaf` (never ready).
"""

from __future__ import annotations

import json
import os
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({"kv_used": 3, "pid": os.getpid()})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": str(os.getpid())}
        self._answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(503 if "deaf" in sys.argv else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def main() -> None:
    path, *modes = sys.argv[1:]
    sys.stdout.write("stand-in begins\n")
    sys.stdout.flush()
    for mode in modes:
        if mode.startswith("slow="):
            time.sleep(float(mode.removeprefix("slow=")))
        if mode == "fail":
            sys.stderr.write("the model file is broken\n")
            sys.exit(3)
    Path(path).unlink(missing_ok=True)
    with Server(path, Handler) as server:
        server.serve_forever()


main()
