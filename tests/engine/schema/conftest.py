"""A vocabulary to try grammars on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glasnost.engine.llama import Model
from glasnost.engine.settings import EngineSettings


@pytest.fixture(scope="session")
def vocabulary(smollm_path) -> Iterator[Model]:
    model = Model(EngineSettings(smollm_path, "m"))
    yield model
    model.close()
