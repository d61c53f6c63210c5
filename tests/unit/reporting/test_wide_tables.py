"""Tables too wide for a page of paper: readable type, blocks of columns that name their rows, or fewer columns."""

from __future__ import annotations

import json
import re
import zlib

import pytest
import typst

from audioprune.exhibits import forms, table_json
from audioprune.exhibits.table import Cell, Column, Row, Table
from audioprune.tables import wer, wer_contrasts
from tests import REPOSITORY

SMALLEST, LARGEST = 6.5, 8.5  # points
LINE = 170  # millimetres


def wide(quantities: int, **of_last) -> Table:
    names = (Column("policy", "Policy", align="left"), Column("keep_rate", "Keep-rate"))
    others = [
        Column(f"q{i}", f"Quantity {i}", "%", **(of_last if i == quantities - 1 else {})) for i in range(quantities)
    ]
    rows = [
        Row({"policy": policy, "keep_rate": rate} | {f"q{i}": Cell(100.0 + i) for i in range(quantities)}, "group")
        for policy in ("topk", "stride")
        for rate in (0.5, 0.25)
    ]
    return Table((*names, *others), tuple(rows))


def typeset(table: Table) -> bytes:
    """A page as wide as the report's with this table alone."""
    template = (REPOSITORY / "report" / "report.typ.jinja").read_text(encoding="utf-8")
    helpers = "#let mark(m)" + template.partition("#let mark(m)")[2].partition("// What must not be broken")[0]
    return f"#set page(width: {LINE + 40}mm, margin: 20mm)\n{helpers}\n{forms.typst(table)}".encode()


def sizes(table: Table) -> set[float]:
    """Points of every piece of type, read from the page's drawing commands."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", typst.compile(typeset(table), format="pdf"), re.S)
    drawn = b"".join(zlib.decompressobj().decompress(one) for one in streams if one[:1] == b"x")
    return {float(size) for size in re.findall(rb"/\S+ ([\d.]+) Tf", drawn)}


def blocks(table: Table) -> list[str]:
    """The tables of the page, as JSON of what is in them."""
    return [json.dumps(one) for one in json.loads(typst.query(typeset(table), "table"))]


@pytest.mark.parametrize("quantities", [3, 12, 20])
def test_type_is_never_too_small_to_read(quantities):
    assert min(sizes(wide(quantities))) >= SMALLEST
    assert max(sizes(wide(quantities))) <= LARGEST


def test_a_table_that_fits_stays_whole_and_a_wide_one_has_blocks_that_name_their_rows():
    assert len(blocks(wide(3))) == 1
    found = blocks(wide(20))
    assert len(found) > 1
    for one in found:
        assert one.count('"Policy"') == one.count('"Keep-rate"') == 1
        assert one.count('"stride"') == 2
    shown = [int(n) for one in found for n in re.findall(r'"text": "(\d+)"', one)]  # of "Quantity 7", on two lines
    assert shown == list(range(20))


def test_columns_that_are_not_for_print_are_named_instead():
    table = wide(3, in_print=False)
    assert [c.key for c in table.in_print().columns] == ["policy", "keep_rate", "q0", "q1"]
    assert table.in_print().notes == ("Not in print, but in report.html and in the CSV: Quantity 2.",)
    assert "102" not in forms.typst(table)
    assert "102" in forms.html(table)
    assert "102" in table.csv()
    assert table_json.loads(table_json.dumps(table)) == table


def test_a_table_without_such_columns_is_as_it_is():
    assert wide(3).in_print() == wide(3)


@pytest.mark.parametrize("module", [wer, wer_contrasts])
def test_the_widest_tables_print_their_quantity_and_what_it_costs_or_what_is_judged(module):
    kept = {c.key for c in module._columns() if c.in_print}
    assert kept >= (
        {"wer", "wer_minus_unpruned", "remaining"} if module is wer else {"difference", "p_holm", "verdict"}
    )
    assert len(kept) <= 8
