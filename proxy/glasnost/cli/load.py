"""From files and folders to values: the configuration, the policy packs, models' files and scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from glasnost.config import (
    AdapterFile,
    Config,
    HttpUpstream,
    JudgeSettings,
    LitellmUpstream,
    LocalUpstream,
    ModelSettings,
    PromptedRung,
    Rung,
    ScriptedUpstream,
    parse_config,
)
from glasnost.errors import ConfigError, ModelFileError, PolicyError, Problem
from glasnost.models.resolve import resolve
from glasnost.policy.parse import parse_topic
from glasnost.policy.policy import Policy, build_policy
from glasnost.policy.topic import Topic
from glasnost.upstream.script import Script, parse_script

SAFETY = "safety"
"""The pack that always judges, because safety comes before politics."""


def load_config(path: Path | None, *, host: str | None, port: int | None, workers: int | None = None) -> Config:
    """Read a configuration, or the embedded one; raises ConfigError."""
    if path is None:
        text = (resources.files("glasnost") / "default.yaml").read_text(encoding="utf-8")
        return parse_config(text, "the default configuration", host=host, port=port, workers=workers)
    config = parse_config(_read(path, str(path)), str(path), host=host, port=port, workers=workers)
    models = {name: _with_prompts(model, path.parent) for name, model in config.models.items()}
    audit = config.audit.model_copy(update={"judge": _with_rubric(config.audit.judge, path.parent)})
    return config.model_copy(update={"models": models, "audit": audit})


def _with_rubric(judge: JudgeSettings | None, folder: Path) -> JudgeSettings | None:
    """Read the judge's rubric, relative to the configuration's folder."""
    if judge is None or judge.rubric_file is None:
        return judge
    return judge.model_copy(update={"rubric": _read(folder / judge.rubric_file, judge.rubric_file)})


def _with_prompts(model: ModelSettings, folder: Path) -> ModelSettings:
    """Read the prompt files of a ladder, relative to the configuration's folder."""
    return model.model_copy(update={"ladder": tuple(_with_prompt(rung, folder) for rung in model.ladder)})


def _with_prompt(rung: Rung, folder: Path) -> Rung:
    if not isinstance(rung, PromptedRung) or rung.prompt_file is None:
        return rung
    return rung.model_copy(update={"prompt": _read(folder / rung.prompt_file, rung.prompt_file).removesuffix("\n")})


def load_policy(packs: tuple[str, ...]) -> Policy:
    """Compile the packs, and with them the one that says what is never rerouted; raises PolicyError."""
    return build_policy(load_topics(tuple(dict.fromkeys((*packs, SAFETY)))))


def load_policies(config: Config) -> dict[tuple[str, ...], Policy]:
    """Compile the packs of the configuration, and those of every key that has its own; raises PolicyError."""
    wanted = [config.audit.packs, *(key.packs for key in config.server.keys if key.packs is not None)]
    return {packs: load_policy(packs) for packs in dict.fromkeys(wanted)}


def load_topics(packs: tuple[str, ...]) -> list[Topic]:
    """Read every topic of the packs; raises PolicyError with the problems of all files."""
    topics: list[Topic] = []
    problems: list[Problem] = []
    for pack in packs:
        for source, text in _topic_files(pack):
            try:
                topics.append(parse_topic(text, source))
            except PolicyError as error:
                problems += [Problem(_in_file(source, each.path), each.message, each.line) for each in error.problems]
    if problems:
        raise PolicyError("policy packs", problems)
    return topics


def find_files(config: Config, source: str, cache: Path) -> dict[str, Path]:
    """Find the GGUF of every local upstream; raises ConfigError with all that are missing, adapters too."""
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for name, settings in config.upstreams.items():
        if isinstance(settings, LocalUpstream):
            try:
                found[name] = resolve(settings.gguf, cache)
            except ModelFileError as error:
                problems.append(Problem(f"upstreams.{name}.gguf", str(error)))
            problems += [
                Problem(f"upstreams.{name}.{place}", f"there is no file {adapter.path}")
                for place, adapter in _adapters(settings)
                if not Path(adapter.path).is_file()
            ]
    if problems:
        raise ConfigError(source, problems)
    return found


def _adapters(settings: LocalUpstream) -> Iterator[tuple[str, AdapterFile]]:
    for name, adapter in settings.lora.items():
        yield f"lora.{name}", adapter
    for index, vector in enumerate(settings.control_vectors):
        yield f"control_vectors[{index}]", vector


def check_keys(config: Config, source: str, environ: Mapping[str, str]) -> None:
    """See that every key that the configuration names is in the environment; raises ConfigError."""
    problems = [
        Problem(f"upstreams.{name}.api_key_env", f"the environment variable {settings.api_key_env} is not set")
        for name, settings in config.upstreams.items()
        if isinstance(settings, HttpUpstream | LitellmUpstream)
        and settings.api_key_env
        and not environ.get(settings.api_key_env)
    ]
    if problems:
        raise ConfigError(source, problems)


def load_scripts(config: Config, folder: Path) -> dict[str, Script]:
    """Read the script of every scripted upstream, relative to the configuration's folder; raises ConfigError."""
    return {
        name: parse_script(_read(folder / settings.script, settings.script), settings.script)
        for name, settings in config.upstreams.items()
        if isinstance(settings, ScriptedUpstream)
    }


def _read(path: Path, source: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(source, [Problem("", f"cannot be read: {error}")]) from None


def _topic_files(pack: str) -> list[tuple[str, str]]:
    folder = _pack_folder(pack)
    files = [each for each in folder.iterdir() if each.name.endswith((".yaml", ".yml"))] if folder.is_dir() else []
    if not files:
        shipped = ", ".join(shipped_packs())
        message = f"no topic files there; a pack is a folder of YAML files, or one of the shipped: {shipped}"
        raise PolicyError(pack, [Problem("", message)])
    return [(f"{pack}/{each.name}", each.read_text(encoding="utf-8")) for each in sorted(files, key=lambda f: f.name)]


def shipped_packs() -> list[str]:
    """Give the names of the packs that come with the package."""
    return sorted(each.name for each in _shipped().iterdir() if each.is_dir())


def harmless_prompts() -> list[str]:
    """Read the shipped prompts that should touch no topic."""
    lines = (_shipped() / "harmless.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _in_file(source: str, path: str) -> str:
    return f"{source}: {path}" if path else source


def _pack_folder(pack: str) -> Traversable:
    return Path(pack) if "/" in pack or pack.startswith(".") else _shipped() / pack


def _shipped() -> Traversable:
    """Give the folder of the shipped packs: inside the wheel, or beside the package in a checkout."""
    inside = resources.files("glasnost") / "policies"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "policies"
