"""Fixtures that every room shares: the real models, where they have been pulled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from glasnost.errors import ModelFileError
from glasnost.models.cache import cache_folder
from glasnost.models.resolve import resolve

# A busy machine is no failure: what must be fast is measured where it is claimed, in CPU time.
settings.register_profile("unhurried", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("unhurried")


LONG = ("model", "faults", "processes")

if "PYTEST_XDIST_WORKER" in os.environ:
    # One thread to an engine: its threads wait for each other hundreds of times in a step, and beside the engines of
    # other workers they do little else, which is half of the CPU time of the tests that run a model.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, lest one of them runs alone at the end.

    Ask again where two tokens are nearly as likely: what else is in a batch decides between them (ADR 0007).
    """
    long = {item.path for item in items if any(item.get_closest_marker(name) for name in LONG)}
    items.sort(key=lambda item: item.path not in long)
    for item in items:
        if item.get_closest_marker("near_tie"):
            item.add_marker(pytest.mark.flaky(reruns=2))


def _pulled(name: str) -> Path:
    try:
        return resolve(name, cache_folder(os.environ))
    except ModelFileError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session", autouse=True)
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the ledgers of the tests' gateways, which begin where a user's would, away from the user's own."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def qwen_path() -> Path:
    return _pulled("qwen2.5-coder-0.5b")


@pytest.fixture(scope="session")
def smollm_path() -> Path:
    return _pulled("smollm2-135m")
