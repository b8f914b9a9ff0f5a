"""Ledgers of both kinds."""

import pytest

from glasnost.record.ledger.place import at_file, at_server, prepare
from postgres import postgres


@pytest.fixture(scope="session")
def server():
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """An empty ledger; everything that holds for one kind holds for the other."""
    if request.param == "sqlite":
        found = at_file(tmp_path / "ledger.db")
    else:
        found = at_server(request.getfixturevalue("server").url())
    prepare(found)
    return found
