"""service.identity: where it stands what is tested, in one way each."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from genload.settings.service import IdentitySource


@pytest.mark.parametrize(
    "source",
    [
        {"endpoint": "/v1/models", "field": "data.0.id"},
        {"header": "X-Build"},
        {"endpoint": "/version", "header": "X-Build"},
        {"env": "IMAGE_DIGEST"},
        {"monitor": "gpu"},
        {"monitor": "gpu", "field": "gpu.driver"},
    ],
)
def test_each_way_is_taken(source: dict[str, Any]) -> None:
    assert IdentitySource.model_validate(source).model_dump(exclude_none=True) == source


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({}, "in one way"),
        ({"field": "data"}, "in one way"),
        ({"endpoint": "/v1/models"}, "in one way"),
        ({"endpoint": "/v1/models", "field": "id", "env": "A"}, "in one way"),
        ({"env": "A", "field": "id"}, "in one way"),
        ({"env": "A", "monitor": "gpu"}, "in one way"),
        ({"header": "X-Build", "field": "id"}, "in one way"),
        ({"monitor": "gpu", "endpoint": "/gpu"}, "in one way"),
        ({"env": "ORFEAS_TOKEN"}, "name of a secret"),
        ({"header": "Set-Cookie"}, "name of a secret"),
        ({"endpoint": "http://elsewhere/models", "field": "id"}, "pattern"),
    ],
)
def test_anything_else_is_refused(source: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        IdentitySource.model_validate(source)
