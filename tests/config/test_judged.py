"""Who may judge whom, by what the configuration and the names of models tell of their families."""

import pytest

from glasnost.config import opinion_problems, parse_config
from glasnost.config.family import families_in
from glasnost.errors import ConfigError

CONFIG = """
upstreams:
  gagged: {{kind: local, gguf: qwen2.5-coder-0.5b}}
  far: {{kind: http, base_url: "http://127.0.0.1:9900/v1", model: "{far}"}}
  plays: {{kind: scripted, script: s.yaml}}
models:
  asked: {{upstream: gagged, ladder: [{{rung: model, model: other}}]}}
  other: {{upstream: far}}
  judge: {{upstream: {judge}{family}}}
audit:
  judge: {{model: {model}}}
"""


def problems(judge="plays", family=", family: c", far="meta-llama/Llama-3.3-70B", model="judge"):
    try:
        parse_config(CONFIG.format(judge=judge, family=family, far=far, model=model), "glasnost.yaml")
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", {"qwen"}),
        ("qwen2.5-coder-0.5b", {"qwen"}),
        ("QwQ-32B", {"qwen"}),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", {"deepseek", "qwen"}),
        ("DeepSeek-R1-Distill-Llama-8B", {"deepseek", "llama"}),
        ("anthropic/claude-sonnet-4-5", {"claude"}),
        ("gpt-4o-2024-11-20", {"gpt"}),
        ("openrouter/openai/o1-preview", {"gpt"}),
        ("o3", {"gpt"}),
        ("mistralai/Ministral-3-14B-Reasoning-2512", {"mistral"}),
        ("Mixtral-8x7B", {"mistral"}),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", {"smollm"}),
        ("google/gemma-3-27b-it", {"gemma"}),
        ("gemini-2.5-pro", {"gemini"}),
        ("microsoft/phi-4", {"phi"}),
        ("THUDM/chatglm3-6b", {"glm"}),
        ("zai-org/GLM-4.6", {"glm"}),
        ("moonshotai/Kimi-K2-Instruct", {"kimi"}),
        ("01-ai/Yi-34B-Chat", {"yi"}),
        ("CohereForAI/c4ai-command-r-plus", {"command"}),
        ("ollama/llama3", {"llama"}),
        ("ollama/mystery", set()),
        ("ggml-org/llama.cpp", set()),
        ("delphi-2", set()),
        ("my-model", set()),
    ],
)
def test_the_name_of_a_model_tells_its_families(name, families):
    assert families_in(name) == families


def test_a_judge_of_another_family_is_taken():
    assert problems() == []


def test_a_judge_of_the_family_of_a_model_that_he_judges_is_refused_with_the_path():
    assert problems(family=", family: Llama") == [
        "audit.judge.model (line 11): 'judge' and 'other', which it would judge, are of one family: llama"
    ]
    (told,) = problems(judge="gagged", family="")
    assert told.startswith("audit.judge.model (line 11): 'judge' and 'asked'")
    (distilled,) = problems(far="DeepSeek-R1-Distill-Qwen-7B", family=", family: deepseek")
    assert distilled.endswith("are of one family: deepseek")


def test_a_family_that_nobody_tells_has_to_be_given():
    (found,) = problems(family="")
    assert found.startswith("models.judge.family (line 9): is required")
    (found,) = problems(far="the-best")
    assert found.startswith("models.other.family")


def test_a_judge_must_be_a_model_without_a_ladder_and_not_the_only_one():
    (found,) = problems(model="nobody")
    assert found == "audit.judge.model (line 11): there is no model 'nobody'; there are: asked, other, judge"
    (found,) = problems(model="asked")
    assert "has a ladder" in found
    alone = "upstreams: {a: {kind: scripted, script: s}}\nmodels: {m: {upstream: a, family: x}}\n"
    with pytest.raises(ConfigError, match="is the only model"):
        parse_config(f"{alone}audit: {{judge: {{model: m}}}}", "glasnost.yaml")


def test_what_a_local_models_file_says_is_waited_for():
    text = """
upstreams: {near: {kind: local, gguf: /models/m.gguf}, far: {kind: http, base_url: "http://h/v1", model: phi-4}}
models: {asked: {upstream: near}, judge: {upstream: far}}
audit: {judge: {model: judge}}
"""
    config = parse_config(text, "glasnost.yaml")

    def found(said):
        return [path for path, _ in opinion_problems(config.audit, config.models, config.upstreams, {"near": said})]

    assert found("Qwen2.5 7B") == []
    assert found("Phi 3 mini") == ["audit.judge.model"]
    assert found("Model") == ["models.asked.family"]


def test_a_semantic_tier_needs_an_upstream_that_gives_vectors():
    text = "upstreams: {a: {kind: scripted, script: s}}\nmodels: {m: {upstream: a}}\naudit: {semantic: {upstream: %s}}"
    with pytest.raises(ConfigError, match="there is no upstream 'b'; there are: a"):
        parse_config(text % "b", "glasnost.yaml")
    with pytest.raises(ConfigError, match="gives no vectors: 'a' is neither local nor http"):
        parse_config(text % "a", "glasnost.yaml")


@pytest.mark.parametrize("band", ["[0.9, 0.1]", "[0.1]", "[-0.1, 0.5]", "[0.5, 1.5]"])
def test_a_band_is_two_probabilities_in_order(band):
    text = f"upstreams: {{a: {{kind: scripted, script: s}}}}\nmodels: {{m: {{upstream: a}}}}\naudit: {{unsure: {band}}}"
    with pytest.raises(ConfigError, match=r"audit\.unsure"):
        parse_config(text, "glasnost.yaml")


def test_a_rubric_is_given_as_text_or_as_a_file():
    with pytest.raises(ConfigError, match="takes rubric or rubric_file, not both"):
        parse_config(
            "upstreams: {a: {kind: scripted, script: s}}\nmodels: {m: {upstream: a}}\n"
            "audit: {judge: {model: m, rubric: x, rubric_file: y}}",
            "glasnost.yaml",
        )
