"""The shipped policy, and a small one."""

from __future__ import annotations

import pytest

from glasnost.cli.load import load_policy
from glasnost.policy.policy import Policy
from harbour import harbour_policy


@pytest.fixture(scope="session")
def prc() -> Policy:
    return load_policy(("prc",))


@pytest.fixture(scope="session")
def harbour() -> Policy:
    return harbour_policy()
