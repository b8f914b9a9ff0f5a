"""What the planner makes of models that are not plain: experts, latent attention, windows, recurrent layers."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from gguf_files import BOOL, F32, STRING, U32, File, TensorInfo, array, tiny
from glasnost.engine.gguf import read_gguf
from glasnost.engine.layout import Layout, layout_of
from glasnost.engine.plan import Wish, plan, share
from glasnost.errors import ModelFileError

#: Figures of published models, but for the number of layers.
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {
        "block_count": 2, "embedding_length": 4096, "attention.head_count": 32, "attention.head_count_kv": 8,
        "feed_forward_length": 14336, "expert_count": 8, "expert_used_count": 2,
    },
    "deepseek2": {
        "block_count": 2, "embedding_length": 7168, "attention.head_count": 128, "attention.head_count_kv": 1,
        "attention.key_length": 576, "attention.value_length": 512, "attention.key_length_mla": 192,
        "attention.value_length_mla": 128, "attention.kv_lora_rank": 512, "feed_forward_length": 18432,
        "expert_feed_forward_length": 2048, "expert_count": 256, "expert_used_count": 8, "expert_shared_count": 1,
        "expert_group_count": 8, "expert_group_used_count": 4, "leading_dense_block_count": 1,
    },
    "deepseek32": {
        "block_count": 2, "embedding_length": 7168, "attention.head_count": 128, "attention.head_count_kv": 1,
        "attention.key_length": 576, "attention.value_length": 512, "attention.key_length_mla": 192,
        "attention.value_length_mla": 128, "attention.indexer.key_length": 128,
    },
    "gemma3": {
        "block_count": 2, "embedding_length": 5376, "attention.head_count": 32, "attention.head_count_kv": 16,
        "attention.key_length": 128, "attention.value_length": 128, "attention.sliding_window": 1024,
        "feed_forward_length": 21504,
    },
    "gemma4": {
        "block_count": 2, "embedding_length": 2560, "attention.head_count": 8, "attention.head_count_kv": [2, 1],
        "attention.key_length": 512, "attention.value_length": 512, "attention.key_length_swa": 256,
        "attention.value_length_swa": 256, "attention.sliding_window": 512, "feed_forward_length": [10240, 10240],
        "attention.sliding_window_pattern": [True, False],
    },
    "mamba": {
        "block_count": 2, "embedding_length": 2560, "attention.head_count": 0, "feed_forward_length": 0,
        "ssm.conv_kernel": 4, "ssm.inner_size": 5120, "ssm.state_size": 16, "ssm.time_step_rank": 160,
    },
    "jamba": {
        "block_count": 2, "embedding_length": 2560, "attention.head_count": 20, "attention.head_count_kv": [0, 1],
        "ssm.conv_kernel": 4, "ssm.inner_size": 5120, "ssm.state_size": 16, "feed_forward_length": 8192,
    },
    "rwkv7": {
        "block_count": 2, "embedding_length": 2048, "attention.head_count": 0, "wkv.head_size": 64,
        "token_shift_count": 2, "feed_forward_length": 8192,
    },
    "lfm2": {
        "block_count": 2, "embedding_length": 2048, "attention.head_count": 32, "attention.head_count_kv": [0, 8],
        "shortconv.l_cache": 3, "feed_forward_length": 10240,
    },
    "kimi-linear": {
        "block_count": 2, "embedding_length": 2304, "attention.head_count": 32, "attention.head_count_kv": [0, 1],
        "attention.key_length": 576, "attention.value_length": 512, "attention.key_length_mla": 192,
        "attention.value_length_mla": 128, "kda.head_dim": 128, "ssm.conv_kernel": 4,
    },
    "qwen3next": {
        "block_count": 4, "embedding_length": 2048, "attention.head_count": 16, "attention.head_count_kv": 2,
        "attention.key_length": 256, "attention.value_length": 256, "ssm.conv_kernel": 4, "ssm.inner_size": 4096,
        "ssm.state_size": 128, "ssm.group_count": 16, "expert_count": 512, "expert_used_count": 10,
        "expert_feed_forward_length": 512,
    },
    "nemotron_h": {
        "block_count": 3, "embedding_length": 4480, "attention.head_count": [0, 40, 0],
        "attention.head_count_kv": [0, 8, 0], "attention.key_length": 128, "attention.value_length": 128,
        "feed_forward_length": [0, 0, 15680], "ssm.conv_kernel": 4, "ssm.inner_size": 10240, "ssm.state_size": 128,
        "ssm.group_count": 8,
    },
}  # fmt: skip

#: Numbers that each layer keeps of a token, and bytes of the state of a sequence.
EXPECTED = {
    "llama": ((2048, 2048), 0),
    "deepseek2": ((576, 576), 0),
    "deepseek32": ((704, 704), 0),
    "gemma3": ((4096, 4096), 0),
    "gemma4": ((2048, 1024), 0),
    "mamba": ((0, 0), 4 * (3 * 5120 + 16 * 5120)),
    "jamba": ((0, 256), 4 * (3 * 5120 + 16 * 5120)),
    "rwkv7": ((0, 0), 4 * 2048 * (64 + 2)),
    "lfm2": ((0, 1024), 4 * 2048 * 2),
    "kimi-linear": ((0, 576), 4 * 32 * 128 * (3 * 3 + 128)),
    "qwen3next": ((0, 0, 0, 1024), 4 * (3 * (4096 + 2 * 16 * 128) + 128 * 4096)),
    "nemotron_h": ((0, 2048, 0), 4 * (3 * (10240 + 2 * 8 * 128) + 128 * 10240)),
}

KINDS = {bool: BOOL, int: U32, float: F32}


def header(tmp_path, family: str, **changes: Any) -> Layout:
    """Read a header of this family with one matrix a layer."""
    figures = FAMILIES[family] | {"context_length": 8192} | {key.replace("__", "."): changes[key] for key in changes}
    values = {"general.architecture": (STRING, family), "tokenizer.ggml.tokens": array(STRING, ["a", "b", "c"])}
    for key, value in figures.items():
        kind = KINDS[type(value[0] if isinstance(value, list) else value)]
        values[f"{family}.{key}"] = array(kind, value) if isinstance(value, list) else (kind, value)
    tensors = [TensorInfo(f"blk.{layer}.x.weight", (32, 32)) for layer in range(figures["block_count"])]
    return layout_of(read_gguf(File(values, tensors).write(tmp_path / f"{family}.gguf")))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_of_layer_is_counted_as_llama_cpp_keeps_it(tmp_path, family):
    layout = header(tmp_path, family)
    assert (layout.cell, layout.state) == EXPECTED[family]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("space", [(1 << 36,), (1 << 36, 1 << 30), (1 << 20, 1 << 20, 1 << 40)])
def test_every_family_is_planned_for_any_machine(tmp_path, family, space):
    layout = header(tmp_path, family)
    for wish in (Wish(None, None, None), Wish(4096, 4, None, kv_type="q8_0"), Wish(0, 2, 1, flash=False)):
        chosen = plan(layout, wish, space)
        assert chosen.context >= 256
        assert all(size >= 0 for size in chosen.space)
    assert len(share([(layout, Wish(None, None, None))] * 3, space)) == 3


def test_experts_of_one_token_size_a_step_and_not_all_of_them(tmp_path):
    assert header(tmp_path, "deepseek2").inner == 18432
    assert header(tmp_path, "qwen3next").inner == 10 * 512


def test_a_file_may_name_its_recurrent_layers_itself(tmp_path):
    named = header(tmp_path, "qwen3next", attention__recurrent_layers=[True, False, True, False])
    assert named.cell == (0, 1024, 0, 1024)
    assert header(tmp_path, "qwen3next", full_attention_interval=2).cell == (0, 1024, 0, 1024)
    assert header(tmp_path, "qwen3next", full_attention_interval=3, nextn_predict_layers=1).cell == (0, 0, 1024, 1024)


@pytest.mark.parametrize(
    ("family", "key", "value"),
    [
        ("qwen3next", "full_attention_interval", 0),
        ("jamba", "attention__head_count_kv", [1, 1, 1]),
        ("llama", "expert_used_count", 9),
        ("deepseek2", "expert_group_count", 7),
        ("gemma4", "feed_forward_length", [1.5, 1.5]),
        ("gemma3", "attention__head_count_kv", 5),
        ("gemma3", "attention__layer_norm_rms_epsilon", -1.0),
    ],
)
def test_figures_that_no_model_has_are_refused_by_name(tmp_path, family, key, value):
    with pytest.raises(ModelFileError, match="cannot be loaded: "):
        header(tmp_path, family, **{key: value})


@pytest.mark.parametrize("kind", [24, 26])
def test_weights_that_no_cpu_multiplies_are_refused_and_a_table_of_them_is_not(tmp_path, kind):
    file = tiny()
    for name, allowed in (("blk.0.ffn_up.weight", False), ("blk.0.ffn_gate_tid2eid.weight", True)):
        file.tensors = [TensorInfo(name, (8,), kind=kind)]
        gguf = read_gguf(file.write(tmp_path / "m.gguf"))
        with nullcontext() if allowed else pytest.raises(ModelFileError, match="as no weights are"):
            layout_of(gguf)
