"""What the tests of several commands share: a pack of one topic in a folder of its own."""

import pytest

from harbour import TOPIC


@pytest.fixture
def pack(tmp_path):
    folder = tmp_path / "pack"
    folder.mkdir()
    labels = "[refusal, evasion, propaganda, omission, truncated]"
    (folder / "harbour.yaml").write_text(TOPIC.replace("ACTS_ON", labels).replace("ACTION", "flag"))
    return folder
