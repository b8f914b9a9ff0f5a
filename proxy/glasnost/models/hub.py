"""The Hugging Face hub as a source: huggingface_hub tells where a file is and what it must be."""

from __future__ import annotations

import re
import threading

from glasnost.errors import ModelFileError
from glasnost.models.catalogue import HubFile
from glasnost.models.web import WebFile

LIMIT_S = 10.0


def locate(hub: HubFile, *, limit_s: float = LIMIT_S) -> WebFile:
    """Ask the hub for a file's address, hash and size; raises `ModelFileError`, after `limit_s` at the latest.

    The limit covers name look-up and all addresses of the hub, which no timeout of a socket does: hence the thread.
    """
    answers: list[WebFile | Exception] = []

    def ask() -> None:
        try:
            answers.append(_ask(hub))
        except Exception as error:  # noqa: BLE001 - carried over to the caller, whatever it is
            answers.append(error)

    thread = threading.Thread(target=ask, name="hub", daemon=True)
    thread.start()
    thread.join(limit_s)
    answer = answers[0] if answers else TimeoutError(f"no answer within {limit_s:g} seconds")
    if isinstance(answer, ModelFileError):
        raise answer
    if isinstance(answer, Exception):
        reason = (str(answer).strip() or type(answer).__name__).splitlines()[0]
        raise ModelFileError(f"the Hugging Face hub does not give {hub.repo}/{hub.file}: {reason}") from answer
    return answer


def _ask(hub: HubFile) -> WebFile:
    # Imported here: it takes 0.3 s, and only a pull that leaves the machine needs it.
    from huggingface_hub import get_hf_file_metadata, get_token, hf_hub_url  # noqa: PLC0415

    token = get_token()
    url = hf_hub_url(hub.repo, hub.file, revision=hub.revision)
    metadata = get_hf_file_metadata(url, token=token or False, timeout=LIMIT_S)
    if not metadata.size or not re.fullmatch(r"[0-9a-f]{64}", metadata.etag or ""):
        raise ModelFileError(f"the hub names no SHA-256 for {hub.repo}/{hub.file}, so it cannot be a model's file")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return WebFile(url, str(metadata.etag), metadata.size, headers)
