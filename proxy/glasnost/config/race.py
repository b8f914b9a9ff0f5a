"""Settings of races: how many requests may be asked of two models at once."""

from __future__ import annotations

from glasnost.config.failover import Ratio
from glasnost.config.fields import Count, Settings


class RaceSettings(Settings):
    """Races as a share of the on-topic requests of the last minute, one in any case, and for each key by number."""

    share: Ratio = 0.25
    per_key_per_minute: Count = 10
