"""The monitors' own process: plain Python, one thread a monitor, one line a tick in samples.jsonl.

Started by `start_sampler`, or as ``python -m genload.sampler``. Its configuration is one JSON line on stdin
(never on the command line, which every user of the machine can read), its first line on stdout says what
the monitors promise. It ends when its stdin closes, which the death of its parent does too.
"""

from __future__ import annotations

from genload.sampler.handle import SamplerHandle, start_sampler

__all__ = ["SamplerHandle", "start_sampler"]
