"""The shipped policy, and a small one."""

from __future__ import annotations

import pytest

from glasnost.policy.policy import Policy
from harbour import harbour_policy
from packs import compiled


@pytest.fixture(scope="session")
def prc() -> Policy:
    return compiled(("prc",))


@pytest.fixture(scope="session")
def harbour() -> Policy:
    return harbour_policy()
