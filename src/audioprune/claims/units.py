"""Quantities with a unit. Mixing units is an error; the allowed conversions and subtractions are listed here.

A remaining share that is quoted as a reduction is so found as what it is: the two have units of their own.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import field_validator

from audioprune.errors import UserError
from audioprune.settings.closed import Closed

Unit = Literal[
    "pct_remaining",  # percent of the unpruned model's MACs that remain
    "pct_reduction",  # percent of them that are saved
    "times_less",  # MACs of the unpruned model over those that remain
    "GMAC",  # 10^9 multiply-accumulates of one clip
    "accuracy",  # percent of clips
    "mAP",  # mean average precision x 100
    "pp",  # points of accuracy or of mAP x 100
    "ratio",  # a quotient without unit
]
TEXT = {
    "pct_remaining": "% of the MACs remaining",
    "pct_reduction": "% of the MACs saved",
    "times_less": "times fewer MACs",
    "GMAC": "GMAC",
    "accuracy": "% accuracy",
    "mAP": "mAP",
    "pp": "points",
    "ratio": "",
}
SHARES = ("pct_remaining", "pct_reduction", "times_less")  # three ways to say how many MACs are left
DIFFERENCES = {"accuracy": "pp", "mAP": "pp", "pp": "pp", "GMAC": "GMAC", "pct_remaining": "pp", "pct_reduction": "pp"}


class UnitError(UserError, TypeError):
    """Two units that do not go together."""


class Quantity(Closed):
    """A number as it is printed, and what it is a number of."""

    value: Decimal
    unit: Unit

    @field_validator("value", mode="before")
    @classmethod
    def _as_printed(cls, value: Any) -> Any:
        if isinstance(value, float):
            raise ValueError(f"write {value} in quotes, as it is printed: its digits say how it was rounded")
        return value

    def to(self, unit: Unit) -> Quantity:
        """The same quantity in another unit; raises UnitError if no conversion is defined."""
        if unit == self.unit:
            return self
        if self.unit not in SHARES or unit not in SHARES:
            raise UnitError(f"{self} is no {unit}")
        remaining = {
            "pct_remaining": lambda v: v,
            "pct_reduction": lambda v: 100 - v,
            "times_less": lambda v: 100 / v,
        }[self.unit](self.value)
        value = {"pct_remaining": remaining, "pct_reduction": 100 - remaining}.get(unit)
        return Quantity(value=100 / remaining if value is None else value, unit=unit)

    def __sub__(self, other: Quantity) -> Quantity:
        self._same(other, "minus")
        if self.unit not in DIFFERENCES:
            raise UnitError(f"{self} minus {other} has no unit here")
        return Quantity(value=self.value - other.value, unit=DIFFERENCES[self.unit])

    def __add__(self, other: Quantity) -> Quantity:
        """A value plus a difference of such values: accuracy or mAP plus pp."""
        if other.unit != "pp" or DIFFERENCES.get(self.unit) != "pp":
            raise UnitError(f"{self} plus {other} has no meaning")
        return Quantity(value=self.value + other.value, unit=self.unit)

    def __lt__(self, other: Quantity) -> bool:
        self._same(other, "against")
        return self.value < other.value

    def __le__(self, other: Quantity) -> bool:
        self._same(other, "against")
        return self.value <= other.value

    def _same(self, other: Quantity, how: str) -> None:
        if self.unit != other.unit:
            raise UnitError(f"{self} {how} {other}: {self.unit} is not {other.unit}")

    def __str__(self) -> str:
        return f"{self.value:f} {TEXT[self.unit]}".strip()


def quantity(value: float | Decimal | str, unit: Unit, decimals: int | None = None) -> Quantity:
    """A computed number as a Quantity, rounded to some decimals where it is to be shown."""
    return Quantity(value=Decimal(str(value) if decimals is None else f"{value:.{decimals}f}"), unit=unit)
