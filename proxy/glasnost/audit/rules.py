"""How a stream is treated, by the topics that it touches and by whom it is for: its mode, and what a late verdict does.

Rules kept here:
- topics, the model, the key and the request each may say a mode; the tightest of them counts, and `stream.mode` where
  none says any; `stream.mode: full` is full for everything; a topic that says none is not loosened by one that does;
- the configuration's word on a topic, or else on its pack, replaces what the topic's file says;
- a stream that touches no topic is observed, unless it is `full`; it has a window where its own words may be a topic;
- of several topics, the sternest `after_release` counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from glasnost.config import AfterRelease, StreamMode, StreamSettings
from glasnost.policy.policy import Policy
from glasnost.policy.topic import Topic

Mode = StreamMode

#: From the loosest to the tightest.
TIGHTNESS: tuple[Mode, ...] = ("observe", "window", "hold", "full")
_STERNNESS: tuple[AfterRelease, ...] = ("flag", "amend", "stop")


@dataclass(frozen=True, slots=True)
class StreamRules:
    """The settings, and the modes that model, key and request ask for."""

    settings: StreamSettings
    asked: tuple[Mode, ...] = ()

    def mode(self, policy: Policy, topic_ids: Iterable[str]) -> Mode:
        """Give the mode of a stream that touches these topics."""
        topics = [policy.topic(topic_id) for topic_id in topic_ids]
        by_topic = [self._mode_of(topic) for topic in topics]
        said = [*self.asked, *(mode for mode in by_topic if mode is not None)]
        if self.settings.mode == "full" or (not self.asked and (not said or None in by_topic)):
            said.append(self.settings.mode)
        tightest = max(said, key=TIGHTNESS.index)
        if topics or tightest == "full":
            return tightest
        return min(tightest, "window", key=TIGHTNESS.index) if policy.has_reasons else "observe"

    def after_release(self, policy: Policy, topic_ids: Iterable[str]) -> AfterRelease:
        """Say what happens when an answer on these topics turns out censored after some of it has left."""
        said = [self._after_release_of(policy.topic(topic_id)) for topic_id in topic_ids]
        return max(said or [self.settings.after_release], key=_STERNNESS.index)

    def _mode_of(self, topic: Topic) -> Mode | None:
        configured = (self.settings.topics[name].mode for name in self._names(topic))
        return next((mode for mode in configured if mode is not None), topic.stream_mode)

    def _after_release_of(self, topic: Topic) -> AfterRelease:
        configured = (self.settings.topics[name].after_release for name in self._names(topic))
        said = next((each for each in configured if each is not None), topic.after_release)
        return said or self.settings.after_release

    def _names(self, topic: Topic) -> Iterator[str]:
        """Give the topic's own id, then the packs around it, as far as the configuration speaks of them."""
        names = list(accumulate(topic.id.split("."), lambda outer, inner: f"{outer}.{inner}"))
        return (name for name in reversed(names) if name in self.settings.topics)
