"""What a GPU costs its user."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from genload.settings.model import Settings


class GpuHourCost(Settings):
    """``gpu_hour_cost: {amount: 2.5, currency: EUR}``"""

    amount: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Price of one GPU for one hour."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,10}$")] = "EUR"
    """Its name, such as EUR or USD."""
