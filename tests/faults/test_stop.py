"""The gateway is told to stop while it answers: what was begun is finished, and the exit code says that all is well."""

import signal

import pytest

from gateway import HARMLESS, rule, script
from running import serve

pytestmark = pytest.mark.faults

CONFIG = "upstreams: {a: {kind: scripted, script: a.yaml}}\nmodels: {asked: {upstream: a}}\n"
TEXT = "Paris is the capital of France. It lies on the Seine."


def test_a_running_stream_is_finished_and_the_server_exits_0(tmp_path):
    (tmp_path / "a.yaml").write_text(script(rule(TEXT, delay=0.1)))
    (tmp_path / "c.yaml").write_text(CONFIG)
    with serve("--config", str(tmp_path / "c.yaml")) as server:
        stream = server.openai().chat.completions.create(
            model="asked", messages=[{"role": "user", "content": HARMLESS}], stream=True
        )
        chunks = [next(stream)]
        server.process.send_signal(signal.SIGTERM)
        chunks += list(stream)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == TEXT
        assert chunks[-1].model_extra["glasnost"]["label"] == "complete"
        assert server.process.wait(10) == 0
