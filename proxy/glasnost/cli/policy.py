"""`glasnost policy`: try the examples of policy packs, and look for what in them does no work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from glasnost.audit.examples import Result, run_examples
from glasnost.cli.load import SAFETY, harmless_prompts, load_topics, shipped_packs
from glasnost.errors import PolicyError
from glasnost.policy.lint import Remark, lint, lint_prompts
from glasnost.policy.policy import build_policy
from glasnost.policy.topic import Topic

app = typer.Typer(help="Test and lint policy packs.", no_args_is_help=True, rich_markup_mode=None)

Pack = Annotated[
    str | None, typer.Argument(help="A pack: a shipped one by name, or a folder by path; all shipped ones by default.")
]


@app.command("test")
def try_examples(pack: Pack = None) -> None:
    """Judge every example of every topic. Exits with 1 if one is judged otherwise than it expects."""
    console = _console()
    table = Table("topic", "examples", "wrong", box=None, pad_edge=False)
    examples = wrong = 0
    for name in _packs(pack):
        topics = _load(name)
        policy = build_policy({topic.id: topic for topic in (*_load(SAFETY), *topics)}.values())
        for topic in topics:
            results = list(run_examples(policy, topic))
            failed = [result for result in results if result.wrong is not None]
            for result in failed:
                _print_wrong(console, topic, result)
            table.add_row(topic.id, str(len(results)), Text(str(len(failed)), "red" if failed else ""))
            examples += len(results)
            wrong += len(failed)
    console.print(table)
    console.print(f"{examples} examples, {wrong} wrong")
    raise typer.Exit(1 if wrong else 0)


@app.command("lint")
def lint_packs(
    pack: Pack = None,
    *,
    prompts: Annotated[
        Path | None, typer.Option(help="More harmless prompts: JSON lines with `prompt`, beside the shipped ones.")
    ] = None,
) -> None:
    """Look for unused terms, terms that hit harmless prompts, and what is missing. Exits with 1 if there is any."""
    console = _console()
    harmless = [*harmless_prompts(), *(_read_prompts(prompts) if prompts else ())]
    number = topics_read = 0
    for name in _packs(pack):
        topics = _load(name)
        remarks = [remark for topic in topics for remark in lint(topic)] + lint_prompts(topics, harmless)
        _print_remarks(console, remarks)
        number += len(remarks)
        topics_read += len(topics)
    console.print(f"{topics_read} topics, {len(harmless)} harmless prompts, {number} remarks")
    raise typer.Exit(1 if number else 0)


def _packs(pack: str | None) -> list[str]:
    return shipped_packs() if pack is None else [pack]


def _load(pack: str) -> list[Topic]:
    try:
        return load_topics((pack,))
    except PolicyError as error:
        _fail(str(error))


def _read_prompts(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict) or not isinstance(row.get("prompt"), str):
                        _fail(f"{path}, line {number}: needs an object with a text `prompt`")
                    yield row["prompt"]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        _fail(f"{path}: {error}")


def _print_wrong(console: Console, topic: Topic, result: Result) -> None:
    console.print(f"{topic.id}: {result.wrong}", style="red")
    console.print(f"  prompt  {result.example.prompt}")
    console.print(f"  answer  {' '.join(result.example.answer.split())[:200]}")
    for evidence in result.verdict.evidence[:3]:
        console.print(f"  found   {evidence.text!r}: {evidence.why}")


def _print_remarks(console: Console, remarks: list[Remark]) -> None:
    topic_id = ""
    for remark in remarks:
        if remark.topic_id != topic_id:
            topic_id = remark.topic_id
            console.print(topic_id, style="bold")
        console.print(f"  {remark.path}: {remark.text}")


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True, emoji=False)


def _fail(message: str) -> NoReturn:
    typer.echo(f"glasnost policy: {message}", err=True)
    raise typer.Exit(2)
