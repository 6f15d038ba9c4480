"""The agent's page: names, labels and units of the exporters it stands for, nothing out of date."""

from __future__ import annotations

import ast
import operator
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from genload.commands.agent.dcgm import dcgm_families
from genload.commands.agent.node import node_families, process_families
from genload.commands.agent.page import AgentPage
from genload.commands.agent.text_format import Family, page
from genload.extensions import builtin_folder
from genload.runlog.records import Sample

from ..clock import Clock

LABELS = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=8),
    max_size=3,
)
VALUES = st.floats(allow_nan=False, allow_infinity=False)


@given(LABELS, VALUES)
def test_what_is_written_is_what_prometheus_client_reads(labels: dict[str, str], value: float) -> None:
    text = page([Family("some_name", "gauge", "Help.", [(labels, value)])])
    (family,) = text_string_to_metric_families(text)
    (sample,) = family.samples
    assert (family.type, family.documentation) == ("gauge", "Help.")
    assert (sample.name, sample.labels, sample.value) == ("some_name", labels, value)


def test_a_family_without_samples_is_left_out() -> None:
    assert page([Family("a", "gauge", "A.", []), Family("b", "gauge", "B.", [({}, 1.5)])]) == (
        "# HELP b B.\n# TYPE b gauge\nb 1.5\n"
    )


def dcgm(values: dict[str, float], facts: dict[str, str] | None = None) -> dict[str, list[Any]]:
    families = dcgm_families(values, facts or {}, "node7")
    return {family.name: list(family.samples) for family in families if family.samples}


def test_gpus_have_dcgms_units_and_labels() -> None:
    values = {
        "gpu.utilisation{gpu=3}": 0.37,
        "gpu.memory_used{gpu=3}": 4 * 2.0**30,
        "gpu.energy{gpu=3}": 123_456.789,
        "gpu.power{gpu=3}": 71.5,
        "gpu.clock_sm{gpu=3}": 1.53e9,
        "gpu.throttle_mask{gpu=3}": 4.0,
        "gpu.utilisation": 0.37,
        "gpu.process_memory{process=python3-4711}": 7.0,
    }
    facts = {"gpu.uuid{gpu=3}": "GPU-5bd0", "gpu.model{gpu=3}": "NVIDIA L4", "gpu.driver": "580.1"}
    labels = {
        "gpu": "3",
        "UUID": "GPU-5bd0",
        "device": "nvidia3",
        "modelName": "NVIDIA L4",
        "Hostname": "node7",
        "DCGM_FI_DRIVER_VERSION": "580.1",
    }
    assert dcgm(values, facts) == {
        "DCGM_FI_DEV_GPU_UTIL": [(labels, 37.0)],
        "DCGM_FI_DEV_FB_USED": [(labels, 4096.0)],
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": [(labels, 123_456_789.0)],
        "DCGM_FI_DEV_POWER_USAGE": [(labels, 71.5)],
        "DCGM_FI_DEV_SM_CLOCK": [(labels, 1530.0)],
        "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS": [(labels, 4.0)],
    }


def test_a_slice_has_the_labels_of_its_board_its_number_there_and_its_own_uuid() -> None:
    """So `max by (Hostname, UUID, gpu)` takes a board once, as of NVIDIA's exporter."""
    place = {"uuid": "MIG-aa", "board": "3", "board_uuid": "GPU-5bd0", "instance": "5"}
    facts = {f"gpu.{name}{{gpu=MIG-aa}}": text for name, text in place.items()}
    labels = {
        "gpu": "3",
        "UUID": "GPU-5bd0",
        "device": "nvidia3",
        "GPU_I_ID": "5",
        "MIG_UUID": "MIG-aa",
        "Hostname": "node7",
    }
    assert dcgm({"gpu.power{gpu=MIG-aa}": 71.5}, facts) == {"DCGM_FI_DEV_POWER_USAGE": [(labels, 71.5)]}


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, None),
        ({"gpu.xid_errors{gpu=0}": 0.0}, 0.0),
        ({"gpu.xid_errors{gpu=0}": 3.0, "gpu.xid_last{gpu=0}": 79.0}, 79.0),
    ],
)
def test_the_newest_xid_is_0_until_there_was_one(values: dict[str, float], shown: float | None) -> None:
    found = dcgm(values | {"gpu.power{gpu=0}": 1.0}).get("DCGM_FI_DEV_XID_ERRORS")
    assert (found[0][1] if found else None) == shown


# What a board tells that offers everything: the base units' numbers, none of them like another.
WHOLE_BOARD = {
    "gpu.utilisation": 0.37,
    "gpu.memory_utilisation": 0.12,
    "gpu.memory_used": 5 * 2.0**30,
    "gpu.memory_free": 19 * 2.0**30,
    "gpu.memory_total": 24 * 2.0**30,
    "gpu.power": 71.5,
    "gpu.energy": 123_456.789,
    "gpu.temperature": 61.0,
    "gpu.clock_sm": 1.53e9,
    "gpu.clock_memory": 6.251e9,
    "gpu.throttle_mask": 4.0,
    "gpu.ecc_corrected": 2.0,
    "gpu.ecc_uncorrected": 1.0,
    "gpu.xid_errors": 3.0,
    "gpu.xid_last": 79.0,
}
OPERATORS = {ast.Mult: operator.mul, ast.Div: operator.truediv}
DOCUMENT = Path(__file__).parents[2] / "docs" / "prometheus.md"


def whole_page() -> dict[str, float]:
    """Every number on an agent's page, by name; of several samples of one name the last. Read as a Prometheus
    does, which leaves names as they are: its client library gives every counter a ``_total``.
    """
    watches: Any = [SimpleNamespace(name=name, interval_s=1.0) for name in ("gpu", "host")]
    made = AgentPage(watches, group="port=5000", hostname="node7", clock=Clock(0.0))
    made.take(Sample(t_s=0.0, monitor="gpu", values={f"{n}{{gpu=0}}": v for n, v in WHOLE_BOARD.items()}))
    group = {f"server.{name}": 2.0 for name in ("processes", "memory", "threads", "fds")}
    made.take(Sample(t_s=0.0, monitor="host", values=group))
    lines = re.findall(r"^(\w+)(?:\{.*\})? (\S+)$", made.text(), re.MULTILINE)
    return {name: float(value) for name, value in lines}


def result(query: str, numbers: dict[str, float]) -> float:
    """What a query over one series of a whole board comes to: a name, and numbers that it is multiplied with
    or divided by; the largest of one is itself, and what is there needs nothing `or` it.
    """

    def of(node: ast.expr) -> float:
        match node:
            case ast.BinOp(left, op, right):
                return OPERATORS[type(op)](of(left), of(right))
            case ast.BoolOp(ast.Or(), [first, *_]):
                return of(first)
            case ast.Name(name):
                return numbers[name]
            case ast.Constant(int(value) | float(value)):
                return value
        raise AssertionError(f"{query}: the test does not know {ast.dump(node)}")

    plain = re.sub(r"(?:max by|on) \([\w, ]+\) |\{GPU_I_ID=\"\"\}", "", query)
    return of(ast.parse(plain, mode="eval").body)


def configured() -> list[tuple[str, str]]:
    """Metric and query of every suite in config/prometheus/ and of the table in docs/prometheus.md."""
    found = []
    for path in sorted((builtin_folder("config") / "prometheus").glob("*.yaml")):
        monitors = yaml.safe_load(path.read_text(encoding="utf-8"))["monitors"]
        found += [pair for each in monitors.values() if each for pair in each.get("queries", {}).items()]
    return found + re.findall(
        r"^\| `(gpu\.\w+)` \| `(.+)` \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE
    )


def test_every_configured_query_finds_on_the_page_what_the_gpu_monitor_measured() -> None:
    """Name and unit: so an agent takes the place of NVIDIA's exporter, and criteria decide the same."""
    numbers, queries = whole_page(), configured()
    assert len(queries) >= 9 + 6
    for metric, query in queries:
        assert result(query, numbers) == pytest.approx(WHOLE_BOARD[metric]), query


def test_what_the_document_names_is_on_the_page() -> None:
    text = (DOCUMENT.parent / "monitors.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\| on the page \|.*?\n\n", text, re.DOTALL)
    names = [
        name
        for cell in re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    ]
    beginnings, there = ("", "DCGM_FI_DEV_", "namedprocess_namegroup_"), whole_page()
    assert len(names) >= 15
    for name in names:
        assert any(f"{beginning}{name}" in there for beginning in beginnings), name


def test_the_machine_has_the_node_exporters_names() -> None:
    families = {family.name: family for family in node_families()}
    for name in ("node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "node_load1"):
        assert families[name].samples, name
    whole = families["node_memory_MemTotal_bytes"].samples[0][1]
    assert whole == psutil.virtual_memory().total
    modes = {labels["mode"] for labels, _ in families["node_cpu_seconds_total"].samples}
    assert {"user", "system", "idle"} <= modes
    assert families["node_network_receive_bytes_total"].kind == "counter"


def test_partitions_are_not_counted_beside_their_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = SimpleNamespace(read_bytes=5, write_bytes=6)
    disks = dict.fromkeys(("sda", "sda1", "loop0"), counts)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda perdisk: disks)
    monkeypatch.setattr(
        "pathlib.Path.exists", lambda path: str(path) in ("/sys/block/sda", "/sys/block/loop0")
    )
    (read,) = [family for family in node_families() if family.name == "node_disk_read_bytes_total"]
    assert read.samples == [({"device": "sda"}, 5)]


def test_processes_have_process_exporters_names() -> None:
    values = {"server.processes": 3.0, "server.memory": 5e9, "server.threads": 40.0, "host.cpu": 1.0}
    text = page(process_families(values, "port=5000"))
    found = {s.name: (s.labels, s.value) for f in text_string_to_metric_families(text) for s in f.samples}
    assert found == {
        "namedprocess_namegroup_num_procs": ({"groupname": "port=5000"}, 3.0),
        "namedprocess_namegroup_memory_bytes": ({"groupname": "port=5000", "memtype": "resident"}, 5e9),
        "namedprocess_namegroup_num_threads": ({"groupname": "port=5000"}, 40.0),
    }


def shown(made: AgentPage) -> dict[str, float]:
    return {s.name: s.value for family in text_string_to_metric_families(made.text()) for s in family.samples}


def test_a_monitor_that_stops_answering_leaves_the_page() -> None:
    clock = Clock(100.0)
    watch: Any = SimpleNamespace(name="gpu", interval_s=1.0)
    made = AgentPage([watch], group="", hostname="node7", clock=clock)
    assert shown(made)["genload_agent_monitor_up"] == 0.0
    hot = Sample(t_s=100.0, monitor="gpu", values={"gpu.temperature{gpu=0}": 61.0}, facts={"gpu.driver": "1"})
    assert made.take(hot) == ""
    clock.now_s = 104.0
    assert (shown(made)["genload_agent_monitor_up"], shown(made)["DCGM_FI_DEV_GPU_TEMP"]) == (1.0, 61.0)
    clock.now_s = 106.0
    assert shown(made)["genload_agent_monitor_up"] == 0.0 and "DCGM_FI_DEV_GPU_TEMP" not in shown(made)


def test_an_error_is_news_once_and_what_stands_beside_it_is_shown() -> None:
    watch: Any = SimpleNamespace(name="gpu", interval_s=1.0)
    made = AgentPage([watch], group="", hostname="node7", clock=Clock(0.0))
    lost = Sample(t_s=0.0, monitor="gpu", values={"gpu.temperature{gpu=0}": 61.0}, error="GPU 1 is lost")
    assert [made.take(lost), made.take(lost)] == ["GPU 1 is lost", ""]
    assert shown(made)["genload_agent_monitor_up"] == 0.0
    assert shown(made)["DCGM_FI_DEV_GPU_TEMP"] == 61.0
    assert made.take(Sample(t_s=0.0, monitor="gpu")) == ""
