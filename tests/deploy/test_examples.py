"""What is there to be copied: example configurations, the compose file and the unit, read as their users would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from glasnost.config import parse_config

DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLES = sorted(DEPLOY.glob("examples/*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_a_configuration_that_the_gateway_takes(path):
    config = parse_config(path.read_text(), path.name)
    assert any(model.ladder for model in config.models.values())


def test_what_compose_mounts_is_there():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    mounts = [str(volume) for service in compose["services"].values() for volume in service.get("volumes", ())]
    named = {mount.partition(":")[0] for mount in mounts}
    files = {name for name in named if name.startswith(".")}
    assert named - files == set(compose["volumes"])
    assert [name for name in files if not (DEPLOY / name).exists()] == []


def test_the_compose_gateway_has_a_configuration_that_it_takes():
    path = DEPLOY / "compose" / "glasnost.yaml"
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    config = parse_config(path.read_text(), path.name, host="0.0.0.0", port=8080)
    assert config.server.drain_seconds < int(compose["services"]["glasnost"]["stop_grace_period"].rstrip("s"))


def test_systemd_understands_the_unit(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    unit = (DEPLOY / "systemd" / "glasnost.service").read_text()
    copy = tmp_path / "glasnost.service"
    copy.write_text(unit.replace("/opt/glasnost/bin/glasnost", shutil.which("true")))
    done = subprocess.run([analyze, "verify", str(copy)], capture_output=True, text=True, check=False)
    assert "glasnost.service" not in done.stderr, done.stderr


def test_hadolint_finds_nothing_in_the_dockerfile():
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint is not installed; it is in the extra `dev`")
    root = DEPLOY.parent
    done = subprocess.run([hadolint, "Dockerfile"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
