"""The same output for different inputs."""

from __future__ import annotations

import pytest

from genload.artifacts.duplicates import OutputRegistry
from genload.service import ServiceError


def test_the_second_input_with_the_same_output_fails_and_names_the_first() -> None:
    registry = OutputRegistry()
    registry.admit("a.png", b"mesh")
    registry.admit("b.png", b"another mesh")

    with pytest.raises(ServiceError, match=r"b2\.png.*a\.png") as caught:
        registry.admit("b2.png", b"mesh")

    assert caught.value.error_class == "duplicate_output"


def test_the_same_input_may_give_the_same_output() -> None:
    registry = OutputRegistry()
    registry.admit("a.png", b"mesh")
    registry.admit("a.png", b"mesh")

    with pytest.raises(ServiceError):
        registry.admit("b.png", b"mesh")


def test_large_outputs_are_compared_as_well() -> None:
    registry = OutputRegistry()
    registry.admit("a.png", bytes(10_000_000))
    registry.admit("b.png", bytes(9_999_999) + b"1")

    with pytest.raises(ServiceError):
        registry.admit("c.png", bytes(10_000_000))


def test_the_oldest_outputs_are_forgotten_not_the_repeated_ones() -> None:
    registry = OutputRegistry(limit=2)
    registry.admit("a", b"1")
    registry.admit("b", b"2")
    registry.admit("a", b"1")
    registry.admit("c", b"3")

    registry.admit("d", b"2")  # b's was the oldest
    with pytest.raises(ServiceError):
        registry.admit("e", b"3")


def test_inputs_that_show_the_same_may_have_the_same_output() -> None:
    """A replay may name one picture twice: then each upload has a comment of its own, and shows the same."""
    registry = OutputRegistry()
    registry.admit("1.png", b"mesh", "the cat")
    registry.admit("2.png", b"mesh", "the cat")

    with pytest.raises(ServiceError, match=r"3\.png.*1\.png"):
        registry.admit("3.png", b"mesh", "the dog")
    with pytest.raises(ServiceError, match=r"4\.png.*1\.png"):
        registry.admit("4.png", b"mesh")
