"""From files to what second opinions need: the judge's rubric, what models say of their family, and the head."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import file_digest
from importlib import resources
from pathlib import Path

from glasnost.audit.head import Head, parse_head
from glasnost.config import Config, opinion_problems
from glasnost.engine.gguf import read_gguf
from glasnost.errors import ConfigError, ModelFileError, Problem

_NAMES = ("general.name", "general.basename", "general.base_model.0.name", "general.finetune")
_HEADS = resources.files("glasnost.pipeline.opinions") / "heads"
# Of many families: every model that is built like it calls itself so.
_SHARED_ARCHITECTURES = ("llama", "gpt2", "starcoder2", "bert")


def check_opinions(config: Config, source: str, files: Mapping[str, Path]) -> None:
    """See that the judge is of another family than those he judges, by their files too; raises ConfigError."""
    if config.audit.judge is None:
        return
    told = {name: _told(path) for name, path in files.items()}
    found = opinion_problems(config.audit, config.models, config.upstreams, told)
    if problems := [Problem(path, message) for path, message in found]:
        raise ConfigError(source, problems)


def load_head(config: Config, source: str, folder: Path, files: Mapping[str, Path]) -> Head | None:
    """Read the head of the semantic tier, None where there is no such tier; raises ConfigError.

    A head for another file than that of its upstream is refused here where the upstream is local. What a server serves
    is asked when it is first needed.
    """
    settings = config.audit.semantic
    if settings is None:
        return None
    path = files.get(settings.upstream)
    try:
        sha256 = None if path is None else _sha256(path)
        if settings.head is not None:
            head = parse_head((folder / settings.head).read_text(encoding="utf-8"), settings.head)
        else:
            head = _shipped(sha256, settings.upstream)
    except (OSError, UnicodeDecodeError, ModelFileError) as error:
        raise ConfigError(source, [Problem("audit.semantic.head", str(error))]) from None
    if sha256 not in (None, head.sha256):
        wrong = f"is for {head.model}, SHA-256 {head.sha256}, and the upstream {settings.upstream!r} serves {sha256}"
        raise ConfigError(source, [Problem("audit.semantic.head", f"{wrong}: train one for it, or serve the other")])
    return head


def _shipped(sha256: str | None, upstream: str) -> Head:
    """Give the shipped head for a file; for a server, whose file is not known yet, the only one there is."""
    heads = [parse_head(file.read_text(encoding="utf-8"), file.name) for file in _HEADS.iterdir()]
    found = [head for head in heads if sha256 in (None, head.sha256)]
    if len(found) != 1:
        there = ", ".join(f"{head.model} ({head.sha256})" for head in heads)
        raise ModelFileError(f"is required: none ships for the file of {upstream!r}, SHA-256 {sha256}, but for {there}")
    return found[0]


def _sha256(path: Path) -> str:
    """Give the SHA-256 of a file; one in the cache of models carries it as its name, and was verified there."""
    if len(path.stem) == 64 and set(path.stem) <= set("0123456789abcdef"):
        return path.stem
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _told(path: Path) -> str:
    """Give what a model's file says of its origin; nothing where it cannot be read, which is told elsewhere."""
    try:
        values = read_gguf(path).values
    except ModelFileError:
        return ""
    names = [value for key in _NAMES if isinstance(value := values.get(key), str)]
    architecture = values.get("general.architecture")
    if isinstance(architecture, str) and architecture not in _SHARED_ARCHITECTURES:
        names.append(architecture)
    return " ".join(names)
