"""Alert rules and dashboards: what promtool says of them, and whether they speak of metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if "alert" in rule]
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
#: What Prometheus itself and its Python client give.
NOT_OURS = ("up", "process_resident_memory_bytes", "process_cpu_seconds_total")


@pytest.mark.parametrize(
    "arguments", [["check", "rules", "rules.yaml"], ["test", "rules", "rules_test.yaml"]], ids=["check", "test"]
)
def test_promtool_passes_the_rules(arguments):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; it comes with Debian's prometheus")
    done = subprocess.run([promtool, *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_firing_and_not():
    tested = yaml.safe_load((RULES.parent / "rules_test.yaml").read_text())["tests"]
    cases = [case for test in tested for case in test["alert_rule_test"]]
    for alert in ALERTS:
        fires = {bool(case["exp_alerts"]) for case in cases if case["alertname"] == alert["alert"]}
        assert fires == {True, False}, alert["alert"]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(alert):
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert {"summary", "description"} <= alert["annotations"].keys()
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^### (\w+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in [heading.lower() for heading in headings]
    uids = [json.loads(path.read_text())["uid"] for path in DASHBOARDS]
    assert alert["annotations"]["dashboard_url"].removeprefix("/d/") in uids


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_can_be_imported_anywhere(path):
    dashboard = json.loads(path.read_text())
    assert dashboard["id"] is None
    assert dashboard["uid"].startswith("glasnost-")
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert {"datasource", "job", "instance"} <= names
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval", "__range"}
            assert used <= names, target["expr"]


@pytest.fixture(scope="module")
def exposed():
    """Give the series names of the golden list, which the gateway's own tests hold it to, with the labels of each."""
    series = {name: set() for name in NOT_OURS}
    for line in (ROOT / "tests" / "golden" / "metrics.txt").read_text().splitlines():
        name, kind, labels = [*line.split(" "), ""][:3]
        given = set(labels.split(",")) - {""}
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            series[name + suffix] = given | ({"le"} if suffix == "_bucket" else set())
    return series


def selectors(expression):
    """Give every metric that an expression names, with the labels that it matches; a recorded series has a colon."""
    found = re.findall(r"(?<![\w:$\"])((?:glasnost|process)_\w+|up)\b(?!:)(?:\{([^}]*)\})?", expression)
    return [(name, set(re.findall(r"(\w+)\s*[=!]", matchers))) for name, matchers in found]


def asked():
    """Give every expression of a dashboard or a rule, with where it stands."""
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                query = variable["query"]
                yield f"{path.stem}: ${variable['name']}", query if isinstance(query, str) else query["query"]
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule.get("alert") or rule["record"], rule["expr"]


def test_every_dashboard_and_rule_asks_for_metrics_and_labels_that_exist(exposed):
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for place, expression in asked():
        named, derived = selectors(expression), set(re.findall(r"\b\w+:\w[\w:]*", expression))
        assert derived <= recorded, f"{place} asks for what no rule records: {derived - recorded}"
        assert named or derived, f"{place} asks for nothing: {expression}"
        for name, labels in named:
            assert name in exposed, f"{place} asks for {name}, which nobody exposes"
            assert labels <= exposed[name] | {"job", "instance"}, f"{place} asks {name} for a label that it lacks"
