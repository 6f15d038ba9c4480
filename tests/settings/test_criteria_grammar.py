"""The grammar: known answers, round trip, and that nothing crashes it."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from genload.settings.criteria.ast import (
    Comparison,
    Conjunction,
    Dimension,
    Each,
    Expression,
    Interval,
    Quantity,
    Relative,
    Subject,
    Window,
)
from genload.settings.criteria.error import CriterionError
from genload.settings.criteria.parse import KEYWORDS, PLAIN_STATS, parse
from genload.settings.criteria.scan import MAX_LENGTH
from genload.settings.criteria.write import to_text
from genload.settings.units import format_number, parse_quantity


def seconds(value: float, text: str) -> Quantity:
    return Quantity(value, Dimension.TIME, text)


KNOWN: list[tuple[str, Expression]] = [
    (
        "generate.duration.mean in 75s..90s",
        Interval(Subject("generate.duration", "mean"), seconds(75, "75s"), seconds(90, "90s")),
    ),
    (
        "generate.error_rate{phase=spike} < 10%",
        Comparison(
            Subject("generate.error_rate", filters=(("phase", "spike"),)),
            "<",
            Quantity(0.1, Dimension.RATIO, "10%"),
        ),
    ),
    (
        "ok.generate.duration.p(99.9){phase = steady , last(10min)}<=120% of generate.duration.mean",
        Comparison(
            Subject(
                "generate.duration",
                "p",
                99.9,
                (("phase", "steady"),),
                Window("last", seconds(600, "10min")),
                ok_only=True,
            ),
            "<=",
            Relative(1.2, Subject("generate.duration", "mean"), "120%"),
        ),
    ),
    (
        "each(voice): speech.rtf.p95 < 1/3 and speech.attempted >= 5",
        Each(
            "voice",
            Conjunction(
                (
                    Comparison(
                        Subject("speech.rtf", "p", 95.0), "<", Quantity(1 / 3, Dimension.RATIO, "1/3")
                    ),
                    Comparison(Subject("speech.attempted"), ">=", Quantity(5, Dimension.COUNT, "5")),
                )
            ),
        ),
    ),
    (
        'server.up.last{voice="a \\"b\\" \\\\", first(1h)} == 1',
        Comparison(
            Subject(
                "server.up",
                "last",
                filters=(("voice", 'a "b" \\'),),
                window=Window("first", seconds(3600, "1h")),
            ),
            "==",
            Quantity(1, Dimension.COUNT, "1"),
        ),
    ),
    (
        "server.memory.slope < 5 MiB/min",
        Comparison(
            Subject("server.memory", "slope"), "<", Quantity(5 * 2**20 / 60, Dimension.BYTE_RATE, "5 MiB/min")
        ),
    ),
    (
        "gpu.memory_used.growth > -5%",
        Comparison(Subject("gpu.memory_used", "growth"), ">", Quantity(-0.05, Dimension.RATIO, "-5%")),
    ),
]


@pytest.mark.parametrize(("text", "tree"), KNOWN, ids=[text for text, _ in KNOWN])
def test_reads_a_known_criterion(text: str, tree: Expression) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "reason", "remedy"),
    [
        ("", 1, "a metric is missing", "generate.duration.p95"),
        ("generate.error_rate", 20, "a comparison is missing", "go on with"),
        ("generate.error_rate <", 22, "a value is missing", "90s"),
        ("generate.error_rate < 5 parsec", 23, "unknown unit 'parsec'", "90s"),
        ("generate.error_rate < 5% or x > 1", 26, "'or' is too much", "'and'"),
        ("a < 1 < 2", 7, "'<' is too much", "one comparison"),
        ("generate.duration.p99.9 < 1s", 1, "a percentile with a fraction", "p(99.9)"),
        ("generate.duration.p101 < 1s", 1, "0 to 100", "p95"),
        ("generate.duration.p(x) < 1s", 21, "0 to 100", "p95"),
        ("a.mean in 75s", 14, "'..' is missing", "75s..90s"),
        ("a.mean{phase} < 1", 13, "'=' is missing", "{phase=spike}"),
        ("a.mean{phase=} < 1", 14, "a filter needs a value", "{phase=spike}"),
        ('a.mean{voice="x} < 1', 14, "the quote is not closed", '"'),
        ("a.mean{phase=x < 1", 16, "'}' is missing", "close the filters"),
        ("a.mean{phase=x, phase=y} < 1", 17, "'phase' stands here twice", "once"),
        ("a.mean{last(5)} < 1", 13, "a window is a time", "last(10min)"),
        ("a.mean{last(5s), first(5s)} < 1", 18, "a window already", "use one"),
        ("a.mean < 120 of b.mean", 10, "needs a share", "120%"),
        ("a.mean < 1/0", 10, "divides by zero", "90s"),
        ("a.mean < 30/", 13, "a unit of time is missing", "30/min"),
        ("each(voice) a < 1", 13, "':' is missing", "each(voice)"),
        ("a $ 1", 3, "'$' does not belong here", "generate.duration"),
        ("in < 1", 1, "a metric is missing", "name one"),
    ],
)
def test_error_shows_place_and_remedy(text: str, column: int, reason: str, remedy: str) -> None:
    with pytest.raises(CriterionError) as caught:
        parse(text)
    error = caught.value
    assert (error.position + 1, reason in error.reason, remedy in error.remedy) == (column, True, True), error
    shown = str(error).splitlines()
    assert shown[2].index("^") - 4 == error.position and shown[1][4:] == text


def test_caret_stands_under_its_place_in_a_long_text() -> None:
    text = " and ".join(["generate.attempted > 5"] * 20) + " $"
    with pytest.raises(CriterionError) as caught:
        parse(text)
    _, line, caret = str(caught.value).splitlines()
    assert line[caret.index("^")] == "$" and len(line) < 100


def test_too_long_a_text_is_refused() -> None:
    with pytest.raises(CriterionError, match="longer"):
        parse("a" * (MAX_LENGTH + 1))


# Whole trees, drawn at random.

words = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True).filter(lambda w: w not in KEYWORDS | {"ok"})
last_words = words.filter(
    lambda w: w not in PLAIN_STATS and not (w[0] == "p" and (w == "p" or w[1:].isdigit()))
)
metrics = st.tuples(st.lists(words, max_size=2), last_words).map(lambda p: ".".join([*p[0], p[1]]))
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
readable = [d for d in Dimension if d not in (Dimension.STATE, Dimension.PLAIN)]


@st.composite
def quantities(draw: st.DrawFn, dimensions: list[Dimension] = readable) -> Quantity:
    dimension = draw(st.sampled_from(dimensions))
    text = format_number(draw(finite), dimension)
    return parse_quantity(text)


windows = st.builds(
    Window,
    st.sampled_from(["first", "last"]),
    quantities([Dimension.TIME]),
)
filters = st.dictionaries(words.filter(lambda w: w not in ("first", "last")), st.text(max_size=8), max_size=3)


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    stat = draw(st.sampled_from([None, "p", *sorted(PLAIN_STATS)]))
    percentile = draw(st.floats(0, 100)) if stat == "p" else None
    window = draw(st.none() | windows)
    return Subject(
        draw(metrics), stat, percentile, tuple(draw(filters).items()), window, ok_only=draw(st.booleans())
    )


@st.composite
def relatives(draw: st.DrawFn) -> Relative:
    share = draw(quantities([Dimension.RATIO]))
    return Relative(share.value, draw(subjects()), share.text)


conditions = st.builds(
    Comparison,
    subjects(),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    quantities() | relatives(),
) | st.builds(Interval, subjects(), quantities(), quantities())
bodies = conditions | st.lists(conditions, min_size=2, max_size=3).map(lambda c: Conjunction(tuple(c)))
expressions = bodies | st.builds(Each, words, bodies)


@given(expressions)
def test_tree_to_text_to_tree(tree: Expression) -> None:
    text = to_text(tree)
    assume(len(text) <= MAX_LENGTH)
    assert parse(text) == tree
    assert to_text(parse(text)) == text


MARKS = list('(){}:,=<./%"\\xé\n')
WORDS = [
    "each",
    "==",
    "<=",
    "..",
    "and",
    "in",
    "of",
    "ok.",
    "p(",
    "p95",
    "a.b",
    "first(",
    "10min",
    "1/3",
    "-5",
]
pieces = st.sampled_from([*MARKS, *WORDS, "1e9", "1e999"])


@given(st.text() | st.lists(pieces, max_size=30).map("".join) | st.lists(pieces, max_size=30).map(" ".join))
@example("each(" * 1000)
@example("a{" * 1900)
@example("1/" * 1900)
@example("x < " + "9" * 3900)
@example("x.p" + "9" * 3900 + " < 1")
def test_no_text_crashes_the_parser(text: str) -> None:
    try:
        tree = parse(text)
    except CriterionError as error:
        assert error.remedy and error.reason and str(error)
    else:
        assert parse(to_text(tree)) == tree
