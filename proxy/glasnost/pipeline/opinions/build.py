"""From a configuration to those who give second opinions; None where nobody is configured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from glasnost.audit.head import Head
from glasnost.config import Config
from glasnost.pipeline.opinions.judge import Judge
from glasnost.pipeline.opinions.opinions import Opinions
from glasnost.pipeline.opinions.semantic import SemanticTier
from glasnost.policy.label import Action
from glasnost.upstream.base import Api, Upstream

Clock = Callable[[], float]


def build_opinions(
    config: Config, upstreams: Mapping[str, Upstream], head: Head | None, clock: Clock = time.monotonic
) -> Opinions | None:
    """Build them; `head` is that of the semantic tier, where the configuration has one."""
    audit = config.audit
    tier = judge = None
    if audit.semantic is not None and head is not None:
        upstream = upstreams[audit.semantic.upstream]
        if not isinstance(upstream, Api):
            raise TypeError(f"{audit.semantic.upstream!r} gives no vectors")
        tier = SemanticTier(audit.semantic, upstream, head, clock)
    if audit.judge is not None:
        judge = Judge(audit.judge, [upstreams[name] for name in config.models[audit.judge.model].serving], clock)
    if tier is None and judge is None:
        return None
    return Opinions(audit.unsure, tier, judge, Action(audit.judge.on_failure) if audit.judge else Action.FLAG)
