"""``compare.json``: a comparison for other programs; its schema is config/schema/compare.schema.json."""

from __future__ import annotations

from typing import Any

import msgspec

from genload import __version__
from genload.analysis.comparison import ComparedSuite, Comparison, Uncompared, Verdict

FORMAT = 1


class CompareDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The file. Quantities are in the base unit that stands beside them; what is unknown or infinite is null.

    Attributes:
        exit_code: 0 no regression, 1 regression, 3 neither can be said.
        uncompared: scenarios that only one side has.
        genload: the version that compared.
    """

    verdict: Verdict
    exit_code: int
    scenarios: list[Comparison]
    uncompared: list[Uncompared]
    genload: str
    format: int


def encode(suite: ComparedSuite) -> str:
    """Indented JSON; msgspec writes NaN and infinity, which JSON does not have, as null."""
    document = CompareDocument(
        verdict=suite.verdict,
        exit_code=suite.exit_code,
        scenarios=suite.scenarios,
        uncompared=suite.uncompared,
        genload=__version__,
        format=FORMAT,
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the file, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "genload comparison",
        **msgspec.json.schema(CompareDocument),
    }
