"""Criteria against the catalogue of a scenario."""

from __future__ import annotations

import pytest

from genload.settings.criteria.ast import Comparison, Dimension
from genload.settings.criteria.error import CriterionError
from genload.settings.criteria.parse import parse
from genload.settings.criteria.validate import check
from genload.settings.metrics.catalogue import ANY_LABEL, Catalogue
from genload.settings.metrics.machines import MACHINE_METRICS
from genload.settings.metrics.metric import SERIES_STATS, Metric
from genload.settings.metrics.requests import request_metrics

UNDERRUN = Metric(
    "speech.underrun", Dimension.STATE, ("rate", "count"), "requests", "1 when playback ran dry"
)
CATALOGUE = Catalogue.of(
    (*request_metrics("generate", ("queue",)), UNDERRUN),
    {"phase": ("baseline", "spike"), "voice": ("ann", "bo"), "any": ()},
    duration_s=1800.0,
    sample_labels={"replica": ("server.", "prom."), "gpu": ("gpu.",)},
)


@pytest.mark.parametrize(
    "text",
    [
        "generate.duration.mean in 75s..90s",
        "ok.generate.duration.p(99.9){phase=spike, voice=ann, last(10min)} < 2min",
        "generate.error_rate{any=whatever} < 1/3",
        "generate.completed == 100% of generate.attempted",
        "generate.stage.queue.p50 <= 120% of generate.duration.mean{phase=baseline}",
        "generate.duration.count > 5 and generate.throughput >= 30/min",
        "generate.duration.mean > 0",
        "server.up.min == 1 and server.restarts.max == 0",
        "server.up.mean >= 99.9%",
        "speech.underrun.rate < 1%",
        "server.memory.growth{phase=spike} < 5%",
        "server.memory.slope < 5MiB/min",
        "server.memory.last <= 22GiB",
        "server.in_flight.slope < 1/min",
        "gpu.temperature.max < 85",
        "host.cpu.mean < 80%",
        "server.memory.mean{replica=10.0.0.7:5000, phase=spike} < 1GiB",
        "gpu.memory_used.max{gpu=0} < 22GiB",
        "prom.queue_depth.max < 5 and prom.latency.p95 < 5ms and prom.queue_depth.growth < 5%",
        "each(voice): generate.duration.p95 < 2s",
        "each(phase): server.memory.max < 22GiB",
        "each(gpu): gpu.memory_used.max < 22GiB",
        "each(gpu): gpu.memory_used.max{phase=spike} < 90% of gpu.memory_total.max",
        "each(replica): server.up.min == 1 and server.memory.growth < 5%",
        "each(replica): prom.queue.max < 5",
        "generate.duration.mean{last(30min)} < 90s",
    ],
)
def test_accepts(text: str) -> None:
    assert check(parse(text), CATALOGUE) is None


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        (
            "generate.duraton.p95 < 1s",
            "unknown metric 'generate.duraton'",
            "did you mean 'generate.duration'",
        ),
        ("generate.stage.quue.p95 < 1s", "unknown metric", "'generate.stage.queue'"),
        ("generate.duration < 1s", "needs a statistic", "generate.duration.mean"),
        ("generate.error_rate.mean < 1%", "no statistic 'mean'", "it is a number itself"),
        ("generate.duration.growth < 1%", "no statistic 'growth'", "mean, min, max"),
        ("server.memory < 1GiB", "needs a statistic", "growth"),
        ("prom.depth < 5", "needs a statistic", "prom.depth.mean"),
        ("generate.duration.mean < 90", "'90' does not fit", "a time such as 90s"),
        ("generate.duration.mean < 5%", "'5%' does not fit", "90s"),
        ("generate.duration.mean in 75s..90", "'90' does not fit", "90s"),
        ("generate.duration.mean in 90s..75s", "is empty", "75s..90s"),
        ("generate.error_rate < 1", "'1' does not fit", "5% or 1/3"),
        ("generate.completed >= 50%", "'50%' does not fit", "a bare number such as 50"),
        ("generate.throughput > 5", "'5' does not fit", "30/min"),
        ("server.memory.growth < 5MiB", "does not fit", "5%"),
        ("server.memory.slope < 5MiB", "does not fit", "5MiB/min"),
        ("server.memory.max < 5", "does not fit", "22GiB"),
        ("server.up.last == 2", "does not fit", "0 or 1"),
        ("server.up.last == 100%", "does not fit", "0 or 1"),
        ("gpu.temperature.max < 5%", "does not fit", "a bare number"),
        ("prom.depth.growth < 5", "does not fit", "5%"),
        ("generate.error_rate{phase=spke} < 1%", "unknown phase 'spke'", "did you mean 'spike'"),
        ("generate.error_rate{voise=ann} < 1%", "unknown label 'voise'", "did you mean 'voice'"),
        ("server.memory.max{voice=ann} < 1GiB", "has no label 'voice'", "by phase, replica and"),
        ("server.memory.max{gpu=0} < 1GiB", "server.memory has no label 'gpu'", "by phase, replica and"),
        ("host.cpu.mean{replica=a} < 80%", "host.cpu has no label 'replica'", "by phase and"),
        ("generate.attempted{replica=a} > 1", "unknown label 'replica'", ""),
        ("ok.generate.error_rate < 1%", "'ok.' does not go with", "ok.generate.duration.p95"),
        ("ok.server.memory.max < 1GiB", "'ok.' does not go with", "ok.generate.duration.p95"),
        ("generate.duration.mean{last(0s)} < 9s", "is empty", "above 0"),
        ("generate.duration.mean{last(31min)} < 9s", "longer than the load of 1800s", "shorter"),
        ("generate.duration.mean < 90% of generate.error_rate", "different things", "90s"),
        ("generate.duration.mean < 90% of generate.gone", "unknown metric", "known: generate."),
        ("generate.duration.mean < 90% of generate.duration.mean{phase=x}", "unknown phase", "use one of"),
        ("each(voise): generate.duration.p95 < 2s", "unknown label", "'voice'"),
        ("each(voice): generate.duration.p95{voice=ann} < 2s", "held to one voice", "take out"),
        ("each(voice): generate.attempted > 1 and server.memory.max < 1GiB", "has no label", "of its own"),
        ("each(gpu): server.memory.max < 1GiB", "server.memory has no label 'gpu'", "of its own"),
        (
            "each(gpu): gpu.power.max < 3 and generate.failed == 0",
            "generate.failed has no label",
            "of its own",
        ),
        ("each(replica): gpu.memory_used.max < 1GiB", "gpu.memory_used has no label 'replica'", "of its own"),
        ("each(gpus): gpu.memory_used.max < 1GiB", "unknown label 'gpus'", "did you mean 'gpu'"),
        ("each(gpu): gpu.memory_used.max{gpu=0} < 1GiB", "held to one gpu", "take out"),
        (
            "each(voice): generate.duration.mean < 120% of generate.duration.mean{voice=ann}",
            "held to one voice",
            "take out",
        ),
        (
            "each(gpu): gpu.memory_used.max < 90% of server.memory.max",
            "server.memory has no label 'gpu'",
            "of its own",
        ),
    ],
)
def test_refuses_with_a_remedy(text: str, reason: str, remedy: str) -> None:
    with pytest.raises(CriterionError) as caught:
        check(parse(text), CATALOGUE)
    assert reason in caught.value.reason and remedy in caught.value.remedy, caught.value.remedy


def dimension(text: str) -> Dimension | None:
    expression = parse(f"{text} == 0")
    assert isinstance(expression, Comparison)
    return CATALOGUE.unit(expression.subject)


@pytest.mark.parametrize("metric", MACHINE_METRICS, ids=lambda metric: metric.name)
def test_every_machine_metric_takes_every_series_statistic(metric: Metric) -> None:
    for stat in SERIES_STATS:
        text = f"{metric.name}.{'p95' if stat == 'p' else stat}"
        check(parse(f"{text} >= 0"), CATALOGUE)
    assert dimension(f"{metric.name}.growth") is Dimension.RATIO
    assert dimension(f"{metric.name}.count") is Dimension.COUNT
    assert dimension(f"{metric.name}.max") is metric.dimension


def test_slope_is_per_second() -> None:
    assert dimension("server.memory.slope") is Dimension.BYTE_RATE
    assert dimension("server.in_flight.slope") is Dimension.RATE
    assert dimension("gpu.power.slope") is Dimension.PLAIN
    assert dimension("prom.x.slope") is None


def test_a_monitor_that_takes_its_labels_from_elsewhere_lets_any_pass() -> None:
    anything = Catalogue.of((), {"phase": ()}, sample_labels={ANY_LABEL: ("",)})
    assert check(parse("prom.queue.max{pod=a-1} < 5"), anything) is None
    assert check(parse("each(pod): prom.queue.max < 5 and gpu.power.max < 300"), anything) is None
