"""Which format a chat template speaks."""

from __future__ import annotations

import re

from glasnost.engine.tools.deepseek import DEEPSEEK, DEEPSEEK_BARE
from glasnost.engine.tools.format import Format
from glasnost.engine.tools.hermes import HERMES
from glasnost.engine.tools.llama3 import LLAMA3
from glasnost.engine.tools.mistral import MISTRAL, MISTRAL_LIST

FORMATS = (HERMES, LLAMA3, MISTRAL, MISTRAL_LIST, DEEPSEEK, DEEPSEEK_BARE)
#: What tokens of a vocabulary may stand for and must be seen, since calls are read from the text.
MARKERS = tuple(sorted({marker for each in FORMATS for marker in each.markers}))

_ARGUMENTS = re.compile(r"""["']arguments\\?["']""")
_PARAMETERS = re.compile(r"""["']parameters\\?["']""")


def detect(template: str) -> Format | None:
    """Give the format that a template's text shows, None when it shows none that we read."""
    if DEEPSEEK.markers[0] in template:
        return DEEPSEEK if "```json" in template else DEEPSEEK_BARE
    if "[TOOL_CALLS]" in template:
        return MISTRAL if "[ARGS]" in template else MISTRAL_LIST
    if "<tool_call>" in template:
        # Others write XML within the same tags.
        return HERMES if _ARGUMENTS.search(template) else None
    if "<|start_header_id|>" in template and "ipython" in template and _PARAMETERS.search(template):
        return LLAMA3
    return None
