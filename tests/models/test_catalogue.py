from __future__ import annotations

import re

import pytest

from glasnost.models.catalogue import CATALOGUE

MODELS = pytest.mark.parametrize("model", CATALOGUE.values(), ids=lambda model: model.name)


def test_the_models_of_the_demo_are_known():
    assert set(CATALOGUE) >= {"qwen2.5-coder-0.5b", "smollm2-135m"}


@MODELS
def test_a_model_is_named_by_its_bytes(model):
    assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
    assert model.size > 1_000_000
    assert model.licence


@MODELS
def test_a_model_can_be_had_and_its_sources_cannot_change(model):
    assert model.hub or model.wheels
    assert model.hub is None or re.fullmatch(r"[0-9a-f]{40}", model.hub.revision)
    assert all(re.fullmatch(r"\d+(\.\d+)+", wheel.version) for wheel in model.wheels)


@pytest.mark.model
def test_the_pulled_files_are_the_ones_the_catalogue_names(qwen_path, smollm_path):
    assert qwen_path.stat().st_size == CATALOGUE["qwen2.5-coder-0.5b"].size
    assert smollm_path.stat().st_size == CATALOGUE["smollm2-135m"].size
