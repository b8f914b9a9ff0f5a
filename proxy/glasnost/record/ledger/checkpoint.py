"""Signed checkpoints: where a chain ended at some time, to be kept where nobody who can write the ledger can.

A checkpoint is a line of JSON; its signature (Ed25519) is over the canonical JSON of the other fields behind a prefix.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from glasnost.errors import LedgerError
from glasnost.record.ledger.claims import Claim
from glasnost.record.ledger.entry import Head, canonical

_PREFIX = b"glasnost checkpoint v1\n"


def make_key(path: Path) -> str:
    """Write a new private key for its owner alone, and give the public one as PEM; raises LedgerError."""
    key = Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8
    data = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(f"{path} cannot be made: {error.strerror}.") from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    return _pem(key.public_key()).decode()


def private_key(path: Path) -> Ed25519PrivateKey:
    """Read the key that signs; raises LedgerError."""
    key = _read(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerError(f"{path} is a public key; signing needs the private one.")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Read the key that checks, from a file with it or with the private one; raises LedgerError."""
    key = _read(path)
    return key.public_key() if isinstance(key, Ed25519PrivateKey) else key


def sign(key: Ed25519PrivateKey, head: Head, at: int) -> bytes:
    """Give the checkpoint of a chain as a line."""
    facts = {"chain": head.chain, "seq": head.seq, "hash": head.hash, "at": at}
    signature = base64.b64encode(key.sign(_PREFIX + canonical(facts))).decode()
    return canonical({**facts, "signature": signature}) + b"\n"


def claims(lines: Iterable[bytes], key: Ed25519PublicKey, source: str) -> Iterator[Claim]:
    """Check the signatures of a file and give what it claims; raises LedgerError for a line that is none of ours.

    What a crash left of a last line, without its end, is passed over.
    """
    for number, line in enumerate(lines, start=1):
        if line.endswith(b"\n") and line.strip():
            yield _claim(line, key, f"line {number} of {source}")


def _claim(line: bytes, key: Ed25519PublicKey, place: str) -> Claim:
    try:
        facts = orjson.loads(line)
        signature = base64.b64decode(facts.pop("signature"), validate=True)
        key.verify(signature, _PREFIX + canonical(facts))
        return Claim(Head(facts["chain"], facts["seq"], facts["hash"]), place)
    except InvalidSignature:
        raise LedgerError(f"{place} does not have a signature of this key.") from None
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError, binascii.Error):
        raise LedgerError(f"{place} is no checkpoint.") from None


def _read(path: Path) -> Ed25519PrivateKey | Ed25519PublicKey:
    try:
        data = path.read_bytes()
        private = b"PRIVATE KEY" in data
        key = serialization.load_pem_private_key(data, None) if private else serialization.load_pem_public_key(data)
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError):
        raise LedgerError(f"{path} holds no key in PEM; `glasnost ledger keygen` makes one.") from None
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise LedgerError(f"{path} holds another kind of key; `glasnost ledger keygen` makes the right one.")
    return key


def _pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
