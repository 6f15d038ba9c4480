"""The inspector's process, for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from genload.artifacts.inspector.inspector import Inspector


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    one = Inspector()
    yield one
    one.close()


@pytest.fixture
def own_inspector() -> Iterator[Inspector]:
    one = Inspector()
    yield one
    one.close()
