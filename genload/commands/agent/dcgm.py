"""A GPU monitor's sample as NVIDIA's DCGM exporter shows it: its names, labels and units.

Names and helps are those of the exporter's default-counters.csv; what it can be configured to show besides
(throttling, ECC) has DCGM's own field names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from genload.commands.agent.text_format import Family
from genload.settings.metrics.labelled import labelled, unlabelled

_MIB = 2**20

# Name, kind, our number without ``gpu.``, factor from base units, help.
_FIELDS = (
    ("DCGM_FI_DEV_SM_CLOCK", "gauge", "clock_sm", 1e-6, "SM clock frequency (in MHz)."),
    ("DCGM_FI_DEV_MEM_CLOCK", "gauge", "clock_memory", 1e-6, "Memory clock frequency (in MHz)."),
    ("DCGM_FI_DEV_GPU_TEMP", "gauge", "temperature", 1, "GPU temperature (in C)."),
    ("DCGM_FI_DEV_POWER_USAGE", "gauge", "power", 1, "Power draw (in W)."),
    (
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
        "counter",
        "energy",
        1e3,
        "Total energy consumption since boot (in mJ).",
    ),
    ("DCGM_FI_DEV_GPU_UTIL", "gauge", "utilisation", 100, "GPU utilization (in %)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "memory_utilisation", 100, "Memory utilization (in %)."),
    ("DCGM_FI_DEV_XID_ERRORS", "gauge", "xid_last", 1, "Value of the last XID error encountered."),
    ("DCGM_FI_DEV_FB_FREE", "gauge", "memory_free", 1 / _MIB, "Framebuffer memory free (in MiB)."),
    ("DCGM_FI_DEV_FB_USED", "gauge", "memory_used", 1 / _MIB, "Framebuffer memory used (in MiB)."),
    ("DCGM_FI_DEV_FB_TOTAL", "gauge", "memory_total", 1 / _MIB, "Total framebuffer memory (in MiB)."),
    (
        "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL",
        "counter",
        "ecc_corrected",
        1,
        "Total number of single-bit volatile ECC errors.",
    ),
    (
        "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL",
        "counter",
        "ecc_uncorrected",
        1,
        "Total number of double-bit volatile ECC errors.",
    ),
    (
        "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS",
        "gauge",
        "throttle_mask",
        1,
        "Why clocks are held down (bits of NVML).",
    ),
)


def dcgm_families(values: Mapping[str, float], facts: Mapping[str, str], hostname: str) -> Iterator[Family]:
    """What the exporter would show of each GPU.

    Args:
        values: of one tick, with a series for each GPU: ``gpu.power{gpu=0}``.
        facts: what the monitor said of them: ``gpu.uuid{gpu=0}``.
    """
    gpus: dict[str, dict[str, float]] = {}
    for series, value in values.items():
        metric, labels = unlabelled(series)
        if labels.keys() == {"gpu"}:
            gpus.setdefault(labels["gpu"], {})[metric.removeprefix("gpu.")] = value
    for numbers in gpus.values():
        if "xid_errors" in numbers:
            numbers.setdefault("xid_last", 0.0)  # DCGM shows 0 until there was one
    for name, kind, ours, factor, text in _FIELDS:
        samples = [
            (_labels(gpu, facts, hostname), round(numbers[ours] * factor, 6))
            for gpu, numbers in gpus.items()
            if ours in numbers
        ]
        yield Family(name, kind, text, samples)


def _labels(gpu: str, facts: Mapping[str, str], hostname: str) -> dict[str, str]:
    """The exporter names a MIG slice by its board and its number there; its UUID stands beside them."""

    def known(fact: str) -> str:
        return facts.get(labelled(f"gpu.{fact}", {"gpu": gpu}), "")

    number = known("board") or gpu
    labels = {
        "gpu": number,
        "UUID": known("board_uuid") or known("uuid"),
        "device": f"nvidia{number}",
        "modelName": known("model"),
        "GPU_I_ID": known("instance"),
        "MIG_UUID": known("uuid") if known("uuid").startswith("MIG-") else "",
        "Hostname": hostname,
        "DCGM_FI_DRIVER_VERSION": facts.get("gpu.driver", ""),
    }
    return {name: value for name, value in labels.items() if value}
