"""`audioprune claims`: facts that hold before anything is trained, as JSON and as text."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from audioprune.cli.main import main
from audioprune.results.study import Results
from audioprune.tables import forensics
from tests import REPOSITORY

REMAINING = {
    "000-6": "86.0", "000-7": "74.9", "000-8": "66.1", "000-9": "44.6", "000-10": "74.1", "000-11": "56.7",
    "001-4": "88.4",
}  # fmt: skip


@pytest.fixture(scope="module")
def report() -> dict:
    """The command as typed, in a process of its own; its last line says which heavy packages were loaded."""
    code = (
        "import sys; from audioprune.cli.main import main; code = main(['claims', '--json']);"
        "print(sorted({'torch', 'matplotlib', 'timm', 'snakemake'} & set(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    text, _, loaded = done.stdout.strip().rpartition("\n")
    assert loaded == "[]"
    return json.loads(text)


def test_seven_misread_percentages(report):
    claims = {claim["ids"][0]: claim for claim in report["claims"]}
    assert report["study"] == "paper"
    for name, remains in REMAINING.items():
        claim = claims[name]
        saved = f"{100 - float(remains):.1f}"
        assert claim["verdict"] == "misstated"
        assert claim["quantities"]["macs"] == {"value": remains, "unit": "pct_reduction"}
        assert claim["corrected"]["quantities"]["macs"] == {"value": remains, "unit": "pct_remaining"}
        assert claim["corrected"]["quantities"]["saved"] == {"value": saved, "unit": "pct_reduction"}
        assert claim["expected"] == "misstated"
        assert claim["command"] == f"snakemake results/table{7 if name == '001-4' else 1}.tex"


def test_every_row_and_every_part_says_what_it_rests_on(report):
    ids = [one for claim in report["claims"] for one in claim["ids"]]
    assert len([one for one in ids if one.startswith(("000-", "001-"))]) == 18  # rows of the two drafts
    assert len([one for one in ids if one.startswith("P0-")]) == 15
    for claim in report["claims"]:
        assert not claim["on_this_tier"]
        status = {"P0": "withdrawn", "00": "second-hand", "RQ": ""}[claim["ids"][0][:2]]  # ours were never printed
        assert claim["status"] == status
        assert claim["parts"]
        for part in claim["parts"]:
            assert part["basis"] in ("arithmetic", "cells")
            assert part["evidence"]
            assert bool(part["command"]) == (part["verdict"] == "not-run")


def test_forensics_and_consistency(report):
    swapped = [f for f in report["forensics"] if f["verdict"] == "probable digit transposition"]
    assert [(f["printed"], f["expected"], f["status"]) for f in swapped] == [("31.12", "31.21", "withdrawn")] * 2
    table2 = [f for f in report["forensics"] if f["group"] == "P0 Table 2, audiomae-b by global score, ratio B"]
    assert (len(table2), {f["verdict"] for f in table2}) == (36, {"as random"})
    assert max(abs(f["deviation"]) for f in table2) == pytest.approx(0.20, abs=1e-9)
    (own,) = [row for row in report["forensics_summary"] if row["group"] == table2[0]["group"]]
    assert (own["numbers"], own["verdict"], own["unit"], own["status"]) == (36, "as random", "pp", "withdrawn")
    assert own["largest"] == pytest.approx(0.20, abs=1e-9)
    assert {"kind": "duplicate", "ids": ["000-1", "001-1"], "text": "the same claim in 2 rows"} in report["consistency"]


def test_text_and_other_studies(capsys, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert main(["claims", "--study", "demo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "study demo (synthetic), on this tier where a claim's own data is not there"
    assert "P0" in lines[1]
    assert "withdrawn" in lines[1]
    assert any(line.startswith("000-6 ") and "misstated" in line for line in lines)
    assert any(line.startswith("  run: snakemake results/demo/") for line in lines)
    assert main(["claims", "--study", "dmo"]) == 1
    assert "did you mean 'demo'" in capsys.readouterr().err


def test_exhibit_of_the_forensics_names_what_is_furthest():
    table = forensics.build(Results("empty", []))
    rows = {(row.cells["where"], row.cells["finding"]): row.cells for row in table.rows}
    random = rows["P0 Table 2, audiomae-b by global score, ratio B†", "as random"]
    assert (random["cells"], random["off"]) == (36, "+0.200 points")
    swapped = rows["P0 Table 1†", "probable digit transposition"]
    assert (swapped["cells"], swapped["printed"], swapped["expected"]) == (2, "31.12", "31.21")
    assert "withdrawn" in table.status
