"""The Helm chart, rendered by Helm's own library and held against the Kubernetes schemas and Glasnost's parser."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from glasnost.config import parse_config

helm = pytest.importorskip("helm_python", reason="helm-python-sdk renders the chart; it is in the extra `dev`")
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="it is in the extra `dev`")

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "glasnost"
SMALL = {
    "config": {
        "upstreams": {"hosted": {"kind": "http", "base_url": "https://models.example.com/v1"}},
        "models": {"hosted": {"upstream": "hosted"}},
        "server": {"insecure_no_auth": True},
    }
}
LARGE = {
    "config": {
        "models": {
            "qwen": {"upstream": "qwen", "ladder": [{"rung": "reframe"}, {"rung": "model", "model": "smollm"}]},
            "smollm": {"upstream": "smollm"},
        },
        "server": {"keys": ["sha256:" + "0" * 64]},
    },
    "existingSecrets": ["glasnost"],
    "engineKeySecret": "engine-key",
    "engines": {
        "qwen": {"model": "qwen2.5-coder-0.5b", "gpus": 1, "replicas": 2, "args": ["--slots", "8"]},
        "smollm": {"model": "smollm2-135m", "resources": {"limits": {"memory": "2Gi"}}},
    },
    "autoscaling": {"enabled": True},
    "serviceMonitor": {"enabled": True, "keySecret": {"name": "scrape", "key": "key"}},
    "prometheusRule": {"enabled": True},
    "dashboards": {"enabled": True},
    "networkPolicy": {"egress": [{"ports": [{"port": 5432}]}]},
}
#: Kinds that an operator brings, whose schemas are not Kubernetes' own.
FOREIGN = {"ServiceMonitor", "PrometheusRule"}
KUBERNETES = "1.31"


def rendered(values):
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="demo", namespace="models")
    texts = [text for name, text in files.items() if not name.endswith("NOTES.txt")]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


def named(objects, kind, name="demo-glasnost"):
    return next(each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name))


@pytest.mark.parametrize("values", [SMALL, LARGE], ids=["one hosted model", "engines, scaling and monitoring"])
def test_every_object_is_valid_for_kubernetes(values):
    objects = rendered(values)
    checked = [each for each in objects if each["kind"] not in FOREIGN]
    assert len(checked) >= 6
    for each in checked:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)


@pytest.mark.parametrize("values", [SMALL, LARGE], ids=["one hosted model", "engines, scaling and monitoring"])
def test_the_configuration_in_the_map_is_one_that_the_gateway_takes(values):
    text = named(rendered(values), "ConfigMap")["data"]["glasnost.yaml"]
    config = parse_config(text, "glasnost.yaml", host="0.0.0.0", port=8080)
    assert set(values["config"]["models"]) == set(config.models)


def test_helm_finds_nothing_to_complain_of():
    findings = helm.lint(str(CHART))
    assert not [each for each in findings["messages"] if each["severity"] in ("error", "warning")]


def test_engines_are_upstreams_behind_their_own_service_and_key():
    objects = rendered(LARGE)
    config = parse_config(named(objects, "ConfigMap")["data"]["glasnost.yaml"], "glasnost.yaml", host=None, port=None)
    service = named(objects, "Service", "demo-glasnost-engine-qwen")
    assert config.upstreams["qwen"].base_url == f"http://{service['metadata']['name']}:9000/v1"
    assert config.upstreams["qwen"].api_key_env == "GLASNOST_ENGINE_KEY"
    engine = named(objects, "Deployment", "demo-glasnost-engine-qwen")["spec"]["template"]["spec"]["containers"][0]
    assert engine["resources"]["limits"] == {"nvidia.com/gpu": 1}
    assert engine["args"][-2:] == ["--slots", "8"]


def test_no_container_may_write_its_root_or_be_root():
    for each in rendered(LARGE):
        if each["kind"] == "Deployment":
            pod = each["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"]
            for container in [*pod["containers"], *pod.get("initContainers", [])]:
                assert container["securityContext"]["readOnlyRootFilesystem"]
                assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_pod_is_given_longer_to_end_than_the_gateway_takes_to_drain():
    pod = named(rendered(SMALL), "Deployment")["spec"]["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1])
    drain = parse_config(named(rendered(SMALL), "ConfigMap")["data"]["glasnost.yaml"], "c").server.drain_seconds
    assert pod["terminationGracePeriodSeconds"] > pause + drain


def test_only_gateways_reach_engines():
    policy = named(rendered(LARGE), "NetworkPolicy", "demo-glasnost-engine-qwen")
    peer = policy["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"]
    assert peer == named(rendered(LARGE), "Deployment")["spec"]["selector"]["matchLabels"]


def test_a_changed_configuration_restarts_the_gateways():
    other = {"config": {**SMALL["config"], "audit": {"packs": ["prc"]}}}
    sums = [
        named(rendered(values), "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        for values in (SMALL, other)
    ]
    assert sums[0] != sums[1]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"replicaCount": 3}, "replicaCount"),
        ({"engines": {"qwen": {"gpus": 1}}}, "model"),
        ({"config": {"models": {}}}, "models"),
        ({"gateway": {"persistence": {"enabled": True}}}, "one volume for one replica"),
    ],
    ids=["an unknown value", "an engine without a model", "no models", "one volume for two gateways"],
)
def test_values_that_cannot_work_are_refused_in_words(wrong, words):
    with pytest.raises(helm.HelmError, match=words):
        rendered({**SMALL, **wrong})
