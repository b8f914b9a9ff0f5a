"""From a model reference to a verified file on this machine, without asking any network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from glasnost.errors import ModelFileError
from glasnost.models.cache import Cache
from glasnost.models.catalogue import CATALOGUE, Model
from glasnost.models.reference import HubReference, Remote, parse_reference


def resolve(reference: str, cache_dir: Path, *, catalogue: Mapping[str, Model] = CATALOGUE) -> Path:
    """Give the file of `reference`; raises `ModelFileError` that names the next step where it is not here."""
    wanted = parse_reference(reference, catalogue)
    if isinstance(wanted, Path):
        return existing(wanted)
    path = cached(wanted, Cache(cache_dir))
    if path is None:
        raise ModelFileError(f"the model {reference} is not on this machine; run: glasnost pull {reference}")
    return path


def cached(wanted: Remote, cache: Cache, *, verify: bool = False) -> Path | None:
    """Give the file if it is in the cache and right."""
    sha256 = wanted.sha256
    if isinstance(wanted, HubReference) and sha256 is None:
        sha256 = cache.alias(wanted.text)
    size = wanted.size if isinstance(wanted, Model) else None
    return cache.find(sha256, size=size, verify=verify) if sha256 else None


def existing(path: Path) -> Path:
    """Give `path` itself if there is a file; raises `ModelFileError` if not."""
    if not path.is_file():
        raise ModelFileError(f"there is no file {path}; give the path of a .gguf file or a name to pull")
    return path
