"""`glasnost config`: what it says of right and wrong configurations, and the schema that it prints."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from glasnost.cli.main import app

ROOT = Path(__file__).parents[2]
GOOD = "upstreams: {a: {kind: http, base_url: 'http://h/v1'}}\nmodels: {m: {upstream: a}}\n"
CONFIGURATIONS = [*ROOT.glob("deploy/**/*.yaml"), ROOT / "proxy" / "glasnost" / "default.yaml"]
READABLE = [path for path in CONFIGURATIONS if path.parent.name != "templates" and "\nmodels:" in path.read_text()]


def schema():
    return json.loads(CliRunner().invoke(app, ["config", "schema"]).output)


def test_a_good_configuration_is_summed_up(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(GOOD)
    result = CliRunner().invoke(app, ["config", "check", str(path)])
    assert result.exit_code == 0
    assert "1 models, 1 upstreams" in result.output


def test_a_wrong_one_is_told_with_every_problem(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(GOOD + "server: {prt: 1}\n")
    result = CliRunner().invoke(app, ["config", "check", str(path)])
    assert result.exit_code == 2
    assert "server.prt (line 3): is not a known setting" in result.output


def test_the_published_schema_is_the_one_of_this_version():
    published = json.loads((ROOT / "docs" / "config.schema.json").read_text())
    assert published == schema(), "write it anew: glasnost config schema > docs/config.schema.json"


@pytest.mark.parametrize("path", READABLE, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_we_ship_is_valid_under_the_schema(path):
    jsonschema.validate(yaml.safe_load(path.read_text()), schema())


def test_the_schema_refuses_what_the_parser_refuses():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(GOOD + "server: {prt: 1}\n"), schema())
