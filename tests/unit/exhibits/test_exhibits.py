"""Every table and figure, found by its name: the parts a module must have, and the files it leaves."""

from __future__ import annotations

import contextlib
import csv
import io
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from unittest import mock

import pytest

from audioprune import registry
from audioprune.cells.kinds import KINDS
from audioprune.cells.query import value_of
from audioprune.exhibits import named, table_json
from audioprune.exhibits.figure_files import render_figure
from audioprune.exhibits.table_files import render_table
from audioprune.fingerprints import fingerprint
from audioprune.planning import exhibits
from audioprune.results import published
from audioprune.results.study import Results
from tests.fakes.ablations import ablations
from tests.fakes.contrasts import declared
from tests.fakes.lengths import lengths
from tests.fakes.noise import noisy
from tests.fakes.pace import paced
from tests.fakes.speech import speech
from tests.fakes.studies import shared
from tests.fakes.tokens import token_study

EXHIBITS = [("tables", n) for n in named.names("table")] + [("figures", n) for n in named.names("figure")]
OF_PUBLISHED_NUMBERS = ("claims", "forensics", "gpu", "diagonal")  # have something to say before any cell is made
RENDER = {"tables": render_table, "figures": render_figure}
STUDIES = (
    shared,
    ablations,
    token_study,
    speech,
    declared,
    paced,
    noisy,
    lengths,
)  # each exhibit is drawn of the first that has something to show
SHOWN = [kind for kind, row in KINDS.items() if not row.draws and kind not in ("fetch", "generate", "audio")]
FILES = {f"{kind}s": row.files for kind, row in KINDS.items() if row.draws}


@pytest.mark.parametrize("made", STUDIES)
@pytest.mark.parametrize("name", named.names("table"))
def test_a_table_that_a_study_gets_has_rows(name, made):
    """It gets one where it has cells that the table shows: such as timings of classifiers are not for word errors."""
    module, study = named.get("table", name), made()
    assert bool(module.build(study).rows) or not module.needs(study)


@pytest.mark.parametrize(("kind", "name"), EXHIBITS)
def test_every_exhibit_is_whole(kind, name, tmp_path):
    module = named.get(kind[:-1], name)
    assert module.TITLE
    assert not module.TITLE.endswith(".")
    assert module.CAPTION.endswith(".")
    standalone = getattr(module, "STANDALONE", False)
    study = shared() if standalone else next(made() for made in STUDIES if module.needs(made()))
    assert bool(module.needs(study)) != standalone
    assert {c.kind for c in module.needs(study)} <= {*SHOWN}
    with asked_of_the_registry() as choosing:  # among all cells of the study, of which an exhibit gets its own
        cells = module.needs(study)
    with asked_of_the_registry() as drawing, published_files_read() as read:
        found = RENDER[kind](module, study, tmp_path / "one" / name)
    assert {f"report/published/{one}.csv" for one in read} <= set(exhibits.files_taken(module)), (
        "name them in PUBLISHED"
    )
    assert drawing - choosing <= in_key(kind, name, cells), "name the kinds of these modules in PLUGINS"
    again = RENDER[kind](module, study, tmp_path / "two" / name)
    assert found == again
    assert found["rows"] > 0
    files = sorted((tmp_path / "one").iterdir())
    assert [f.name for f in files] == sorted(f"{name}.{s}" for s in FILES[kind])
    for file in files:
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "one" / f"{name}.csv").read_text())))
    assert len(rows) == found["rows"]
    if kind == "figures":
        check_svg((tmp_path / "one" / f"{name}.svg").read_text())


@pytest.mark.parametrize("made", [shared, ablations, token_study, speech, noisy])
def test_a_table_is_the_same_whatever_other_tables_of_its_process_have_read(made):
    study, known = made(), {}
    for name in reversed(named.names("table")):
        module = named.get("table", name)
        about = study.study, module.needs(study), study.dataset, study.contrasts
        alone, beside = (table_json.dumps(module.build(Results(*about, known=own))) for own in (None, known))
        assert alone == beside, name


@contextlib.contextmanager
def asked_of_the_registry() -> Iterator[set[str]]:
    """The pluggable modules that are asked for meanwhile."""
    found, get = set(), registry.get

    def noted(kind: str, name: str):
        found.add(registry.module_name(kind, name))
        return get(kind, name)

    with mock.patch.object(registry, "get", noted):
        registry.backbone.cache_clear()  # which asks but once
        yield found


@contextlib.contextmanager
def published_files_read() -> Iterator[set[str]]:
    """The names of the files of published values that are read meanwhile."""
    found, rows, load = set(), published.rows, published.load

    def noted(read):
        return lambda name, *others: (found.add(name), read(name, *others))[1]

    with mock.patch.object(published, "rows", noted(rows)), mock.patch.object(published, "load", noted(load)):
        yield found


def in_key(kind: str, name: str, cells) -> set[str]:
    """The modules in the code of an exhibit, and the pluggable ones in that of the cells it shows."""
    found = set(fingerprint.closure(fingerprint.roots_of(kind[:-1], exhibits.plugins_of(kind[:-1], name))))
    for cell in upstream(cells):
        for folder, field in (("backbones", "backbone"), ("pruning", "method"), ("datasets", "dataset")):
            if (value := value_of(cell, field)) in registry.names(folder):
                found.add(registry.module_name(folder, value))
        found.add("audioprune.pruning.none")  # every model is there unpruned
    return found


def upstream(cells) -> Iterator:
    for cell in cells:
        yield cell
        yield from upstream(cell.inputs.values())


@pytest.mark.parametrize(("kind", "name"), EXHIBITS)
def test_every_exhibit_of_an_empty_study_still_renders(kind, name, tmp_path):
    module = named.get(kind[:-1], name)
    found = RENDER[kind](module, Results("empty", [], shared().dataset), tmp_path / name)
    assert (found["rows"] > 0) == (name in OF_PUBLISHED_NUMBERS)


def check_svg(text: str) -> None:
    """XML without date, script or foreign address, whatever the names in it."""
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert "<dc:date>" not in text
    assert "<script" not in text


def test_planning_an_exhibit_loads_nothing_heavy():
    code = (
        "import sys; from audioprune import registry;"
        "[registry.get(k, n) for k in ('tables', 'figures') for n in registry.names(k)];"
        "print(sorted({'torch', 'matplotlib', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


def test_html_of_a_table_is_a_page_that_loads_nothing(tmp_path):
    render_table(named.get("table", "table1"), shared(), tmp_path / "table1")
    page = (tmp_path / "table1.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "http" not in page
    assert "src=" not in page
    assert "withdrawn" in page
