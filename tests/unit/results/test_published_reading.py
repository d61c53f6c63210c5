"""The published numbers against a second, independent reading of their sources.

A separate program cut the bodies of P0's tables out of the paper's text, cell by cell in reading order; what it read
stands here as a digest, so that no digit can change unseen. P2's cells are compared with the drafts' own words, which
the claims quote.
"""

from __future__ import annotations

import hashlib
import re

import pytest

from audioprune.claims.claim import load
from audioprune.results import published

READ = {  # table: cells of its body, and SHA-256 over them, one in a line
    "table1": (48, "932debe02aa8bc07"),
    "table2": (72, "f8d801c90cb8d024"),
    "table3": (72, "863d4ed858a40fd5"),
    "table4": (40, "bbd84eb7b136fb05"),
    "table5": (84, "6eb72767a134f8e3"),
    "table7": (48, "df8aacec7561f63a"),
}
COSTS = [claim for claim in load() if "macs" in claim.quantities]


@pytest.mark.parametrize(("name", "read"), READ.items())
def test_bodies_of_tables_are_as_read_a_second_time(name, read):
    where = f"Table {name.removeprefix('table')}"
    body = [row["value"] for row in published.rows(name) if row["where"].partition(",")[0] == where]
    assert (len(body), hashlib.sha256("\n".join(body).encode()).hexdigest()[:16]) == read


@pytest.mark.parametrize("claim", COSTS, ids=lambda claim: claim.name)
def test_cells_of_p2_are_those_that_the_drafts_quote(claim):
    quoted = [re.findall(r"-?\d+\.\d+", re.sub("keep-rate [0-9.]+", "", source.quote)) for source in claim.sources]
    rates = re.findall(r"keep-rate ([0-9.]+)", claim.sources[0].quote) or ["0.9" if claim.name == "001-5" else ""]
    rows = [
        row
        for row in published.rows("p2")
        if (row["dataset"], row["method"], row["keep_rate"]) == (*claim.cells.datasets, *claim.cells.methods, rates[0])
    ]
    values = {row["metric"]: row["value"] for row in rows}
    expected = [
        values["macs_remaining"],
        *(values[m] for m in ("map", "top1", "drop", "map_difference") if m in values),
    ]
    if claim.name == "001-5":
        expected = [values["macs_remaining"], values["drop"]]
    assert quoted == [expected] * len(claim.sources)
    assert [f"{q.value:f}" for q in claim.quantities.values()] == expected
