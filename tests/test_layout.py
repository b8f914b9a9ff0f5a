"""The house rules that no linter knows: sizes, mirrors, openings, what must not be in the repository, import time."""

from __future__ import annotations

import ast
import re
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "proxy" / "glasnost"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
CODE = sorted({*MODULES, *ROOT.glob("tests/**/*.py"), *ROOT.glob("examples/*.py"), ROOT / "scripts" / "wheel"})
HEAVY = ("litellm", "llama_cpp", "numpy", "huggingface_hub", "opentelemetry", "redis")

# Spelled in pieces, or this file would hold what it looks for.
FORBIDDEN = re.compile(
    "|".join(
        [
            r"pypi\.org/" + "simple",
            "files.python" + r"hosted\.org",
            r"(?<![\w.$}/-])/" + r"(?:root|work|home/\w+|Users/\w+)/",
        ]
    )
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    """List what git holds or would take; a source tree without git has nothing to hold."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.split("\0") if line and (ROOT / line).is_file()]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_opens_with_one_sentence_on_what_lives_there(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "no docstring"
    opening = docstring.split("\n\n")[0].splitlines()
    assert len(opening) == 1, "the opening is more than one line"
    assert re.fullmatch(r"\S.*[.:]", opening[0]), "the opening is no sentence"


@pytest.mark.parametrize("path", CODE, ids=name)
def test_a_file_fits_the_head_of_a_reader(path):
    limit = 400 if path.is_relative_to(ROOT / "tests") else 300  # a table of cases is read row by row
    assert len(path.read_text().splitlines()) <= limit


def test_the_median_module_has_at_most_120_lines():
    assert statistics.median(len(path.read_text().splitlines()) for path in MODULES) <= 120


@pytest.mark.parametrize("room", ROOMS, ids=name)
def test_a_room_has_its_mirror_in_the_tests(room):
    assert list((ROOT / "tests" / room.name).glob("test_*.py")), f"no test_*.py in tests/{room.name}"


def test_every_folder_of_tests_mirrors_a_room_or_is_of_a_known_kind():
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in ROOT.glob("tests/*/**/test_*.py")}
    assert folders <= {room.name for room in ROOMS} | {"benchmarks", "deploy", "faults", "functional", "golden"}


def test_no_file_names_a_machine_or_a_registry():
    found = []
    for path in tracked():
        text = path.read_text(errors="replace")
        found += [f"{name(path)}: {match[0]}" for match in FORBIDDEN.finditer(text)]
    assert found == []


def test_no_weights_and_no_large_files_are_in_the_repository():
    weights = [path for path in tracked() if path.suffix in {".gguf", ".bin", ".safetensors", ".whl"}]
    large = [path for path in tracked() if path.stat().st_size > 1_000_000]
    assert [name(path) for path in [*weights, *large]] == []


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, glasnost; print([name for name in {HEAVY} if name in sys.modules])"
    assert python("-c", code) == "[]\n"


def test_the_gateway_and_its_commands_load_nothing_heavy():
    # These run in the process of an engine, which exists to load llama_cpp, or learn the classifier's weights.
    engine = {f"glasnost.engine.{module}" for module in ("app", "serve", "vectors", "worker")}
    dotted = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in MODULES]
    # Training is no part of the gateway.
    heavy = ("glasnost.engine.llama.", "glasnost.engine.routes.", "glasnost.audit.train.")
    engine |= {module.removesuffix(".__init__") for module in dotted if module.startswith(heavy)}
    engine |= {"glasnost.record.otel"}  # loaded where traces are switched on
    modules = sorted({module.removesuffix(".__init__") for module in dotted} - engine - {"glasnost.__main__"})
    imports = "\n".join(f"import {module}" for module in modules)
    code = f"import sys\n{imports}\nprint([name for name in {HEAVY} if name in sys.modules])"
    assert python("-c", code) == "[]\n"


def test_the_package_is_imported_in_less_than_150_ms():
    python("-c", "import glasnost")  # compiled and in the page cache from here on
    bare = statistics.median(seconds("-c", "pass") for _ in range(7))
    full = statistics.median(seconds("-c", "import glasnost") for _ in range(7))
    assert full - bare < 0.150


def python(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seconds(*words: str) -> float:
    """Give the CPU time of a process: what else the machine does is not in it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    python(*words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
