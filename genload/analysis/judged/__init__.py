"""What judging finds, and all that reports render: plain values, computed once from a run directory."""

from genload.analysis.judged.change import Change, MetricChange
from genload.analysis.judged.criterion import CriterionVerdict, Evidence, Miss, Reason
from genload.analysis.judged.pooled import PooledRun
from genload.analysis.judged.run import (
    MOSTLY,
    Answer,
    AnswerState,
    ClientSummary,
    ErrorGroup,
    JudgedRun,
    JudgedSuite,
    PhaseSummary,
    Retries,
    RunResult,
    SeriesSummary,
    ShortestDurations,
    StageSummary,
    StageTimes,
    Summary,
    Verdict,
    WaitedOut,
)

__all__ = [
    "MOSTLY",
    "Answer",
    "AnswerState",
    "Change",
    "ClientSummary",
    "CriterionVerdict",
    "ErrorGroup",
    "Evidence",
    "JudgedRun",
    "JudgedSuite",
    "MetricChange",
    "Miss",
    "PhaseSummary",
    "PooledRun",
    "Reason",
    "Retries",
    "RunResult",
    "SeriesSummary",
    "ShortestDurations",
    "StageSummary",
    "StageTimes",
    "Summary",
    "Verdict",
    "WaitedOut",
]
