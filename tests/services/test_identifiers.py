"""Identifiers of requests: random UUIDs, others in every process."""

from __future__ import annotations

import subprocess
import sys
from uuid import RFC_4122, UUID

import pytest

from genload.identifiers import new_identifier

FORK = """
import os
from genload.identifiers import new_identifier
new_identifier()
child = os.fork()
if child:
    os.waitpid(child, 0)
print(new_identifier(), flush=True)
"""


def test_they_are_random_uuids_and_none_comes_twice() -> None:
    made = [new_identifier() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    for text in made[:200]:
        assert str(UUID(text)) == text
        assert UUID(text).version == 4 and UUID(text).variant == RFC_4122


@pytest.mark.processes
def test_a_forked_worker_makes_others() -> None:
    told = subprocess.run([sys.executable, "-c", FORK], check=True, capture_output=True, text=True)
    made = told.stdout.split()
    assert len(made) == 2 and made[0] != made[1]
