"""An engine for each file of tests: the last digits of what it computes depend on what its cache holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine_process import EngineProcess, run_engine
from glasnost.engine.llama import Model
from glasnost.engine.settings import EngineSettings


@pytest.fixture(scope="module")
def smollm(smollm_path, tmp_path_factory) -> Iterator[EngineProcess]:
    """SmolLM2 with 8 slots, a queue of 4 and 4,096 cells."""
    socket = tmp_path_factory.mktemp("engine") / "engine.sock"
    with run_engine(smollm_path, socket, "--slots", "8", "--ctx", "4096", "--queue", "4") as engine:
        yield engine


@pytest.fixture(scope="session")
def model(smollm_path) -> Iterator[Model]:
    """SmolLM2, in this process."""
    model = Model(EngineSettings(path=smollm_path, name="m"))
    yield model
    model.close()
