"""The configuration as frozen values, a file for each concern; nothing here reads a file."""

from glasnost.config.audit import AuditSettings
from glasnost.config.failover import FailoverSettings
from glasnost.config.fields import AfterRelease, Balance, KvType, Overflow, StreamMode
from glasnost.config.judged import opinion_problems
from glasnost.config.keys import KeyLimits, KeyScope, KeySettings, KeysFile, LimitsSettings
from glasnost.config.ladder import (
    History,
    LanguageRung,
    ModelRung,
    ModelsRung,
    PrefillRung,
    PromptedRung,
    RawRung,
    ReframeRung,
    RerouteSettings,
    Rung,
    models_of,
    targets_of,
)
from glasnost.config.ledger import CheckpointSettings, Content, LedgerSettings
from glasnost.config.model import ModelSettings
from glasnost.config.opinions import JudgeSettings, SemanticSettings
from glasnost.config.parse import Config, is_loopback, json_schema, parse_config
from glasnost.config.problems import problems_of
from glasnost.config.race import RaceSettings
from glasnost.config.restart import fixed_changes
from glasnost.config.server import ServerSettings
from glasnost.config.stream import HeldCap, OpeningCap, StreamSettings, TopicStream
from glasnost.config.tracing import TracingSettings
from glasnost.config.upstreams import (
    Adapter,
    AdapterFile,
    EnginesSettings,
    HttpUpstream,
    LitellmUpstream,
    LocalUpstream,
    ScriptedUpstream,
    TimeoutSettings,
    UpstreamSettings,
)
from glasnost.config.workers import worker_problems

__all__ = [
    "Adapter",
    "AdapterFile",
    "AfterRelease",
    "AuditSettings",
    "Balance",
    "CheckpointSettings",
    "Config",
    "Content",
    "EnginesSettings",
    "FailoverSettings",
    "HeldCap",
    "History",
    "HttpUpstream",
    "JudgeSettings",
    "KeyLimits",
    "KeyScope",
    "KeySettings",
    "KeysFile",
    "KvType",
    "LanguageRung",
    "LedgerSettings",
    "LimitsSettings",
    "LitellmUpstream",
    "LocalUpstream",
    "ModelRung",
    "ModelSettings",
    "ModelsRung",
    "OpeningCap",
    "Overflow",
    "PrefillRung",
    "PromptedRung",
    "RaceSettings",
    "RawRung",
    "ReframeRung",
    "RerouteSettings",
    "Rung",
    "ScriptedUpstream",
    "SemanticSettings",
    "ServerSettings",
    "StreamMode",
    "StreamSettings",
    "TimeoutSettings",
    "TopicStream",
    "TracingSettings",
    "UpstreamSettings",
    "fixed_changes",
    "is_loopback",
    "json_schema",
    "models_of",
    "opinion_problems",
    "parse_config",
    "problems_of",
    "targets_of",
    "worker_problems",
]
