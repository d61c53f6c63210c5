"""Typed quantities: what may be converted, subtracted and compared; everything else is an error."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from audioprune.claims.units import DIFFERENCES, SHARES, TEXT, Quantity, UnitError, quantity
from audioprune.errors import UserError

UNITS = tuple(TEXT)


def q(value: str, unit: str) -> Quantity:
    return Quantity(value=value, unit=unit)


def test_what_remains_and_what_is_saved():
    assert q("86.0", "pct_remaining").to("pct_reduction") == q("14.0", "pct_reduction")
    assert q("33.9", "pct_reduction").to("pct_remaining") == q("66.1", "pct_remaining")
    assert q("50", "pct_remaining").to("times_less") == q("2", "times_less")
    assert q("2", "times_less").to("pct_reduction") == q("50", "pct_reduction")


@given(st.decimals("0.01", "99.99", places=2))
def test_conversion_and_back(value):
    one = Quantity(value=value, unit="pct_remaining")
    for unit in SHARES:
        assert float(one.to(unit).to("pct_remaining").value) == pytest.approx(float(value))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("other", UNITS)
def test_only_shares_convert(unit, other):
    if unit == other or {unit, other} <= set(SHARES):
        assert q("50", unit).to(other).unit == other
    else:
        with pytest.raises(UnitError):
            q("50", unit).to(other)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("other", UNITS)
def test_mixing_is_a_type_error(unit, other):
    a, b = q("2", unit), q("1", other)
    if unit != other:
        for mix in (lambda: a - b, lambda: a < b, lambda: a <= b):
            with pytest.raises(TypeError, match=unit):
                mix()
    elif unit in DIFFERENCES:
        assert a - b == q("1", DIFFERENCES[unit])
    else:
        with pytest.raises(UnitError):
            a - b


def test_a_remaining_share_is_no_reduction():
    with pytest.raises(UnitError, match="pct_reduction is not pct_remaining"):
        q("86.0", "pct_reduction") <= q("86.0", "pct_remaining")  # noqa: B015
    assert issubclass(UnitError, UserError)


def test_a_value_and_its_drop_are_added_exactly():
    assert q("94.32", "accuracy") + q("0.73", "pp") == q("95.05", "accuracy")
    assert q("37.9", "mAP") + q("0.8", "pp") == q("38.7", "mAP")
    assert q("38.7", "mAP") - q("37.9", "mAP") == q("0.8", "pp")
    with pytest.raises(UnitError):
        q("14.0", "pct_reduction") + q("1", "GMAC")
    with pytest.raises(UnitError):
        q("38.7", "mAP") - q("37.9", "accuracy")


def test_printed_digits_are_kept_and_floats_are_refused():
    assert str(q("86.0", "pct_remaining")) == "86.0 % of the MACs remaining"
    assert str(q("-0.6", "pp")) == "-0.6 points"
    assert quantity(13.956, "pct_reduction", 2).value == Decimal("13.96")
    with pytest.raises(ValidationError, match="in quotes"):
        Quantity(value=86.0, unit="pct_remaining")
    with pytest.raises(ValidationError, match="unit"):
        q("1", "percent")
