"""Which files answered: what engines say of their models, for the records of their answers."""

from __future__ import annotations

from collections.abc import Mapping

from glasnost.record.engine_metrics import EngineFacts

_NAMES = {"sha256": "gguf_sha256", "template_sha256": "template_sha256"}


class Identities:
    """Gives `gguf_sha256` and `template_sha256` by the upstream's name, empty where nothing is known."""

    def __init__(self, engines: Mapping[str, EngineFacts]) -> None:
        self._engines = engines
        self._known: dict[str, Mapping[str, str]] = {}

    def __call__(self, upstream: str) -> Mapping[str, str]:
        """Ask the engine, and remember: it may have been unloaded since it answered."""
        engine = self._engines.get(upstream)
        model = engine.stats.get("model") if engine is not None else None
        if isinstance(model, Mapping):
            self._known[upstream] = {ours: str(model[name]) for name, ours in _NAMES.items() if model.get(name)}
        return self._known.get(upstream, {})
