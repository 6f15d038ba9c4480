"""Random numbers by seed, number and purpose: the same everywhere, even, and as many as are wanted."""

from __future__ import annotations

from collections import Counter
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.inputs.draws import Draws


def test_known_answers_are_the_same_in_every_process() -> None:
    # By `python -c "import hashlib; print(hashlib.blake2b(b'1/2/text').digest()[:16].hex())"`.
    digest = bytes.fromhex("aaa5a5827987e6f85319138c5665c9be")
    draws = Draws(1, 2, b"text")
    whole = 1 << 64
    assert draws.below(whole) == int.from_bytes(digest[:8], "little")
    assert draws.below(whole) == int.from_bytes(digest[8:], "little")


def test_each_of_seed_number_and_purpose_gives_others() -> None:
    firsts = {Draws(*key).below(1 << 64) for key in [(1, 2, b"a"), (2, 2, b"a"), (1, 3, b"a"), (1, 2, b"b")]}
    assert len(firsts) == 4


def test_more_than_a_digest_holds_do_not_come_again() -> None:
    draws = Draws(1, 1, b"many")
    assert len({draws.below(1 << 64) for _ in range(1000)}) == 1000


def test_a_choice_is_even() -> None:
    counts = Counter(Draws(5, number, b"choice").choice("abcdefgh") for number in range(8000))
    # 1000 each, with a standard deviation of 30.
    assert len(counts) == 8 and all(850 < count < 1150 for count in counts.values())


def test_both_ends_of_a_range_are_drawn() -> None:
    draws = Draws(1, 1, b"range")
    assert {draws.between(-1, 1) for _ in range(100)} == {-1, 0, 1}
    assert draws.between(7, 7) == 7


def test_normal_draws_have_mean_0_and_deviation_1() -> None:
    drawn = [Draws(3, number, b"normal").normal() for number in range(10_000)]
    assert fmean(drawn) == pytest.approx(0.0, abs=0.05)  # 5 standard errors
    assert pstdev(drawn) == pytest.approx(1.0, abs=0.036)


@given(st.integers(), st.integers(), st.integers(1, 1 << 62))
def test_any_draw_is_within_its_bounds(seed: int, number: int, bound: int) -> None:
    draws = Draws(seed, number, b"any")
    assert 0 <= draws.below(bound) < bound
    assert 0.0 <= draws.share() < 1.0
    assert abs(draws.normal()) < 10
