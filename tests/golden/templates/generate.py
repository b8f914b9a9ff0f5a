"""Write down what transformers renders, for test_golden_templates to compare with what we render.

    python generate.py FOLDER...    # folders of *.jinja, with transformers installed: torch is not needed

Templates of the families that the tests name get their texts written down, all others a digest of each text.
"""

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers.utils import chat_template_utils

HERE = Path(__file__).parent
#: Templates whose texts are kept, by the beginning of the name.
KEPT = (
    "Qwen-Qwen2.5-7B-Instruct",
    "Qwen-Qwen3-0.6B",
    "meta-llama-Llama-3.1-8B",
    "meta-llama-Llama-3.2-3B",
    "mistralai-Mistral-Nemo",
    "mistralai-Ministral-3-14B-Reasoning",
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
    "deepseek-ai-DeepSeek-V3.1",
    "NousResearch-Hermes-3",
    "gguf-",
)


class Moment(datetime):
    """The only day there is, so that the texts do not change with the calendar."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        """Give the day."""
        return datetime(2026, 8, 1, tzinfo=tz or UTC)


def rendered(source: str, case: dict[str, Any], tools: list[Any]) -> dict[str, str]:
    """Give the text of a case, or say that the template refuses it (its own words) or fails."""
    try:
        [text], _ = chat_template_utils.render_jinja_template(
            [case["messages"]],
            tools=tools if case.get("tools") else None,
            chat_template=source,
            add_generation_prompt=True,
            bos_token="<s>",
            eos_token="</s>",
            **case.get("variables", {}),
        )
    except TemplateError as error:
        return {"refused": str(error)} if type(error) is TemplateError else {"fails": type(error).__name__}
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        return {"fails": type(error).__name__}
    return {"text": text}


def main() -> None:
    """Render every case with every template."""
    chat_template_utils.datetime = Moment
    cases = json.loads((HERE / "cases.json").read_text("utf-8"))
    tools = json.loads((HERE / "tools.json").read_text("utf-8"))
    digests = {}
    for path in sorted(path for folder in sys.argv[1:] for path in Path(folder).glob("*.jinja")):
        source = path.read_text("utf-8")
        texts = {name: rendered(source, case, tools) for name, case in cases.items()}
        facts: dict[str, Any] = {"sha256": hashlib.sha256(source.encode()).hexdigest()}
        if path.stem.startswith(KEPT):
            write(f"{path.stem}.json", {**facts, "cases": texts})
        else:
            digests[path.stem] = {**facts, "cases": {name: digest(each) for name, each in texts.items()}}
    write("digests.json", digests)


def digest(found: dict[str, str]) -> dict[str, str]:
    """Give a digest in the place of a text."""
    return {"digest": hashlib.sha256(found["text"].encode()).hexdigest()[:16]} if "text" in found else found


def write(name: str, value: dict[str, Any]) -> None:
    """Write a file that shows its differences line by line."""
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
