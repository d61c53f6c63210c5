"""Walls where things change apart: whose code holds a module, and so what an edit of it makes again."""

from __future__ import annotations

from functools import cache

import pytest

from audioprune.cells.kinds import KINDS
from audioprune.exhibits import named
from audioprune.fingerprints import fingerprint as fp
from audioprune.fingerprints.imports import module_path
from audioprune.planning.exhibits import name_of, plugins_of
from audioprune.planning.plan import Plan

TABLES, FIGURES = ({(kind, name) for name in named.names(kind)} for kind in ("table", "figure"))
REPORT = {("report", "report")}
TRAINING = {"pretrain", "finetune"}
LEARNING = {*TRAINING, "recognise"}

HOLDERS = {  # module: kinds of cells, and exhibits
    "recognisers.whisper": ({"pace"}, set()),  # and the library call
    "recognisers.whisper_arms": ({"transcribe"}, set()),
    "recognisers.strips": ({"pace", "recognise", "transcribe"}, set()),
    "training.ctc": ({"recognise"}, set()),
    "exhibits.style": (set(), FIGURES),
    "exhibits.figure_files": (set(), FIGURES),
    "exhibits.table_files": (set(), TABLES),
    "exhibits.forms": (set(), TABLES | REPORT),  # LaTeX; HTML and Typst, of which the report makes use
    "exhibits.table_json": (set(), TABLES | REPORT),
    "exhibits.escape": (set(), TABLES | FIGURES | REPORT),
    "exhibits.typeset": (set(), FIGURES | REPORT),
    "reporting.html": (set(), REPORT),
    "models.perturb": ({"evaluate"}, set()),
    "models.discard": ({"discard"}, set()),
    "models.recording": ({"durations", "noisy"}, set()),
    "audio.disturbed": ({"noisy"}, set()),
    "training.loop": (LEARNING, set()),
    "training.history": (LEARNING, set()),
    "tokens.pairs": ({"tokens"}, set()),
    "statistics.concordance": (set(), {("table", "correlation"), ("figure", "rank-correlation")}),
    "audio.augment": (LEARNING, set()),
    "sources.download": ({"fetch"}, set()),
    "sources.extract": ({"fetch"}, set()),
    "sources.mirror": ({"fetch"}, set()),
    "cells.query": (set(), TABLES | FIGURES | REPORT),
    "labels": (
        set(),
        TABLES
        - {
            ("table", n)
            for n in (
                "data",
                "data-classes",
                "forensics",
                "gpu",
                "table6",
                "wer",
                "wer-contrasts",
                "padding",
                "restore",
            )
        }
        | FIGURES
        - {
            ("figure", name)
            for name in (
                "cluster-shares",
                "diagonal",
                "figure4",
                "figure4-8",
                "figure8",
                "wer-macs",
                "kept-frames",
                "adaptivity",
            )
        }
        | REPORT,
    ),
}


@cache
def codes() -> dict[str | tuple[str, str], set[str]]:
    """{kind of cell: the modules in the code of those that config.yaml plans; exhibit: those in its code}."""
    found: dict[str | tuple[str, str], set[str]] = {}
    for cell in Plan().cells.values():
        holder = (cell.kind, name_of(cell)) if KINDS[cell.kind].draws else cell.kind
        found.setdefault(holder, set()).update(fp.closure(fp.roots_of(cell.kind, cell.plugins)))
    for kind, name in TABLES | FIGURES:  # planned or not
        found.setdefault((kind, name), set()).update(fp.closure(fp.roots_of(kind, plugins_of(kind, name))))
    return found


@pytest.mark.parametrize("module", HOLDERS)
def test_a_module_is_in_the_code_of_what_needs_it_and_of_nothing_else(module):
    assert module_path(f"audioprune.{module}")
    kinds, exhibits = HOLDERS[module]
    assert {holder for holder, code in codes().items() if f"audioprune.{module}" in code} == kinds | exhibits


def test_a_tables_module_is_in_no_figure_and_a_figures_module_in_no_table():
    for exhibit in TABLES | FIGURES:
        other = "audioprune.figures." if exhibit in TABLES else "audioprune.tables."
        assert not [module for module in codes()[exhibit] if module.startswith(other)], exhibit


def test_what_is_declared_out_is_there_and_in_no_code():
    for module in fp.DECLARED_OUT:
        assert module_path(module), f"{module} is gone: take it off the list"
    out = tuple(f"{module}." for module in fp.DECLARED_OUT if module != "audioprune")
    assert not [module for code in codes().values() for module in code if f"{module}.".startswith(out)]
