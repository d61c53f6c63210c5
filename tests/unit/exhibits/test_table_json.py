"""The JSON of a table: read back, it is the same table; the report is made from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune.exhibits import named, table_json
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.exhibits.table_files import build_table
from tests.fakes.studies import exhibits, shared

TEXTS = st.text(st.characters(codec="utf-8"))
NUMBERS = st.floats(allow_nan=False)  # inf, too: a speed-up over nothing
CELLS = st.builds(
    Cell, *[st.none() | NUMBERS] * 4, source=TEXTS, mark=TEXTS, why=TEXTS, note=TEXTS
)  # value, low, high, published
ROWS = st.builds(Row, st.dictionaries(TEXTS, st.none() | TEXTS | NUMBERS | st.integers() | CELLS), TEXTS)
COLUMNS = st.builds(Column, TEXTS, TEXTS, TEXTS, st.integers(0, 9), scale=NUMBERS, wrap=st.booleans())
TABLES = st.builds(
    Table,
    st.lists(COLUMNS).map(tuple),
    st.lists(ROWS).map(tuple),
    st.lists(TEXTS).map(tuple),
    st.dictionaries(TEXTS, TEXTS),
    TEXTS,
)


@given(TABLES)
def test_any_table_comes_back(table):
    assert table_json.loads(table_json.dumps(table)) == table


@pytest.mark.parametrize("name", [name for kind, name in exhibits() if kind == "table"])
def test_every_table_comes_back_with_the_same_csv(name):
    table = build_table(named.get("table", name), shared())
    again = table_json.loads(table_json.dumps(table))
    assert again.csv() == table.csv()
    assert again.layout() == table.layout()


def test_numbers_of_numpy_become_plain_ones():
    table = Table((Column("n", "n"),), (Row({"n": np.int64(3)}), Row({"n": np.float32(0.5)})))
    again = table_json.loads(table_json.dumps(table))
    assert [row.cells["n"] for row in again.rows] == [3, 0.5]


def test_nan_stays_nan():
    (row,) = table_json.loads(table_json.dumps(Table((), (Row({"x": float("nan")}),)))).rows
    assert np.isnan(row.cells["x"])


def test_other_text_is_refused():
    with pytest.raises(ValueError, match="columns"):
        table_json.loads('{"rows": []}')
