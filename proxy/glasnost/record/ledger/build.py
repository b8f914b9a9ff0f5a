"""From settings to a ledger with all that works on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from glasnost.config import CheckpointSettings, LedgerSettings
from glasnost.record.ledger.checkpoint import private_key
from glasnost.record.ledger.describe import Identity
from glasnost.record.ledger.ledger import Ledger, wall_clock
from glasnost.record.ledger.notary import Notary
from glasnost.record.ledger.place import place_of, prepare
from glasnost.record.ledger.pruner import Pruner
from glasnost.record.ledger_metrics import LedgerMetrics
from glasnost.record.redactor import Redactor


def build_ledger(
    settings: LedgerSettings,
    environ: Mapping[str, str],
    redactor: Redactor,
    identity: Identity,
    metrics: LedgerMetrics,
) -> Ledger:
    """Build the ledger, whose entries hold what `redactor` leaves; raises LedgerError."""
    place = place_of(settings, environ)
    notary = _notary(settings.checkpoints, metrics)
    prepare(place)
    limits = (settings.retention_days, settings.content_days)
    chores = [Pruner(*limits)] if any(limits) else []
    return Ledger(place, settings, redactor, identity, metrics, chores, notary=notary)


def _notary(settings: CheckpointSettings | None, metrics: LedgerMetrics) -> Notary | None:
    return Notary(settings, private_key(Path(settings.key)), metrics, wall_clock) if settings else None
