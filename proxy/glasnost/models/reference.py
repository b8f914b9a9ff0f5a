"""What a model reference in a configuration or on a command line means: text in, one value out.

    qwen2.5-coder-0.5b                          a model of the catalogue
    hf:owner/repo/file.gguf[@rev][#sha256=...]  a file on the Hugging Face hub
    https://host/file.gguf#sha256=...           a file anywhere
    anything else                               a path

A file of the hub without a SHA-256 is pinned to what the first pull of it got.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from glasnost.errors import ModelFileError
from glasnost.models.catalogue import CATALOGUE, HubFile, Model

_SHA256 = re.compile(r"[0-9a-f]{64}")
_HUB = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)/(?P<file>[^@#\s]+?)(?:@(?P<revision>[^@#\s]+))?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class HubReference:
    """A file of the hub; `text` is the reference as it was written."""

    text: str
    hub: HubFile
    sha256: str | None


@dataclass(frozen=True, slots=True)
class WebReference:
    """A file at `url`, which has no fragment any more."""

    text: str
    url: str
    sha256: str


Remote = Model | HubReference | WebReference
Reference = Remote | Path


def parse_reference(text: str, catalogue: Mapping[str, Model] = CATALOGUE) -> Reference:
    """Tell what `text` refers to; raises `ModelFileError` for a reference that can never be fetched."""
    if text in catalogue:
        return catalogue[text]
    address, _, fragment = text.partition("#")
    if address.startswith("hf:"):
        return _hub_reference(text, address, fragment)
    if address.startswith(("https://", "http://")):
        return _web_reference(text, address, fragment)
    if re.fullmatch(r"[\w.-]+", text) and not text.endswith(".gguf") and not Path(text).exists():
        known = ", ".join(sorted(catalogue))
        raise ModelFileError(f"no model is called {text}; known are {known}, or give the path of a .gguf file")
    return Path(text).expanduser()


def on_this_machine(url: str) -> bool:
    """Tell whether `url` names the loopback, the only place that plain HTTP is accepted from."""
    return urlsplit(url).hostname in _LOOPBACK


def _hub_reference(text: str, address: str, fragment: str) -> HubReference:
    match = _HUB.fullmatch(address)
    if match is None:
        raise ModelFileError(f"{text} is not of the form hf:owner/repo/file[@revision][#sha256=...]")
    hub = HubFile(match["repo"], match["file"], match["revision"] or "main")
    return HubReference(text, hub, _sha256_of(text, fragment) if fragment else None)


def _web_reference(text: str, address: str, fragment: str) -> WebReference:
    if address.startswith("http://") and not on_this_machine(address):
        raise ModelFileError(f"{text} is not encrypted; use an https address")
    return WebReference(text, address, _sha256_of(text, fragment))


def _sha256_of(text: str, fragment: str) -> str:
    sha256 = fragment.removeprefix("sha256=").lower()
    if not fragment.startswith("sha256=") or not _SHA256.fullmatch(sha256):
        raise ModelFileError(f"{text} must end in #sha256= and the 64 hex digits of the file's SHA-256")
    return sha256
