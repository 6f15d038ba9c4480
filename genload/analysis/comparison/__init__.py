"""Two builds compared, by run directories alone."""

from genload.analysis.alike import NotComparableError
from genload.analysis.comparison.brackets import Bracket, held
from genload.analysis.comparison.comparable import Difference, Kind
from genload.analysis.comparison.compare import compare
from genload.analysis.comparison.comparison import CompareSettings, Comparison, MetricShift, Verdict
from genload.analysis.comparison.floor import floor_of, unfit
from genload.analysis.comparison.metric_shift import amount
from genload.analysis.comparison.noise import Noise, NoiseFloor, Scale
from genload.analysis.comparison.shift import Basis, Shift
from genload.analysis.comparison.side import RunFacts
from genload.analysis.comparison.suite import ComparedSuite, Uncompared, compare_suites, suite_of

__all__ = [
    "Basis",
    "Bracket",
    "CompareSettings",
    "ComparedSuite",
    "Comparison",
    "Difference",
    "Kind",
    "MetricShift",
    "Noise",
    "NoiseFloor",
    "NotComparableError",
    "RunFacts",
    "Scale",
    "Shift",
    "Uncompared",
    "Verdict",
    "amount",
    "compare",
    "compare_suites",
    "floor_of",
    "held",
    "suite_of",
    "unfit",
]
