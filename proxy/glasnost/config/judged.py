"""Who judges whom: a judge is of another family than every model whose answers he judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from glasnost.config.audit import AuditSettings
from glasnost.config.family import families_in
from glasnost.config.model import ModelSettings
from glasnost.config.upstreams import HttpUpstream, LitellmUpstream, LocalUpstream, UpstreamSettings

_JUDGE = "audit.judge.model"


def opinion_problems(
    audit: AuditSettings,
    models: Mapping[str, ModelSettings],
    upstreams: Mapping[str, UpstreamSettings],
    told: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, str]]:
    """Say, with its path, what is wrong with the models and upstreams that give second opinions.

    `told` is what the file of each local upstream says of itself; where it is None no file was read yet, and a local
    model whose names tell no family is left to be asked again.
    """
    if audit.semantic is not None:
        yield from _semantic_problems(audit.semantic.upstream, upstreams)
    if audit.judge is not None:
        yield from _Judging(audit.judge.model, models, upstreams, told).problems()


def _semantic_problems(name: str, upstreams: Mapping[str, UpstreamSettings]) -> Iterator[tuple[str, str]]:
    if name not in upstreams:
        yield "audit.semantic.upstream", f"there is no upstream {name!r}; there are: {', '.join(upstreams)}"
    elif not isinstance(upstreams[name], LocalUpstream | HttpUpstream):
        yield "audit.semantic.upstream", f"gives no vectors: {name!r} is neither local nor http"


@dataclass(frozen=True, slots=True)
class _Judging:
    judge: str
    models: Mapping[str, ModelSettings]
    upstreams: Mapping[str, UpstreamSettings]
    told: Mapping[str, str] | None

    def problems(self) -> Iterator[tuple[str, str]]:
        if self.judge not in self.models:
            yield _JUDGE, f"there is no model {self.judge!r}; there are: {', '.join(self.models)}"
            return
        families = {name: self._families(name) for name in self.models}
        judged = {name: found for name, found in families.items() if name != self.judge}
        if not judged:
            yield _JUDGE, f"{self.judge!r} is the only model, and no model judges itself"
        elif self.models[self.judge].ladder:
            yield _JUDGE, f"{self.judge!r} has a ladder, so its own answers are in question; take a model without one"
        for name, found in judged.items():
            if shared := (families[self.judge] or frozenset()) & (found or frozenset()):
                both = f"{self.judge!r} and {name!r}, which it would judge, are of one family"
                yield _JUDGE, f"{both}: {', '.join(sorted(shared))}"
        for name, found in families.items():
            if found == frozenset():
                told = "no name of the model tells it, and the judge must be of another"
                yield f"models.{name}.family", f"is required: {told}"

    def _families(self, name: str) -> frozenset[str] | None:
        """Give the families of a model, None while its file has to be read for that."""
        model = self.models[name]
        if model.family is not None:
            return frozenset({model.family.lower()})
        upstreams = {each: self.upstreams[each] for each in model.serving if each in self.upstreams}
        names = [name, *(self._names(each, settings) for each, settings in upstreams.items())]
        found = families_in(" ".join(names))
        unread = self.told is None and any(isinstance(each, LocalUpstream) for each in upstreams.values())
        return None if unread and not found else found

    def _names(self, name: str, upstream: UpstreamSettings) -> str:
        if isinstance(upstream, LocalUpstream):
            return f"{upstream.gguf} {(self.told or {}).get(name, '')}"
        return (upstream.model or "") if isinstance(upstream, HttpUpstream | LitellmUpstream) else ""
