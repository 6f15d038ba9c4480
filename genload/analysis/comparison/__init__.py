"""Two builds compared, by run directories alone."""

from genload.analysis.comparison.comparable import Difference, Kind, NotComparableError
from genload.analysis.comparison.compare import compare
from genload.analysis.comparison.comparison import CompareSettings, Comparison, MetricShift, Verdict
from genload.analysis.comparison.floor import floor_of
from genload.analysis.comparison.noise import Noise, NoiseFloor
from genload.analysis.comparison.side import RunFacts

__all__ = [
    "CompareSettings",
    "Comparison",
    "Difference",
    "Kind",
    "MetricShift",
    "Noise",
    "NoiseFloor",
    "NotComparableError",
    "RunFacts",
    "Verdict",
    "compare",
    "floor_of",
]
