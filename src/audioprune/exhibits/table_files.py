"""A table as files: LaTeX, CSV, HTML and JSON, each whole or not at all."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from audioprune import records
from audioprune.cells import provenance
from audioprune.exhibits import escape, forms, latex, named, table_json
from audioprune.exhibits.table import Table

if TYPE_CHECKING:
    from audioprune.results.study import Results

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }}
.scroll {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: .15rem .6rem; white-space: nowrap; text-align: right }}
th.left, td.left, tr.group th {{ text-align: left }}
thead th {{ border-bottom: 1px solid; vertical-align: bottom }}
tr.group th {{ padding-top: .8rem; font-style: italic; font-weight: normal }}
.notes {{ font-size: .85rem; list-style: none; padding: 0 }}
</style></head><body>
<h1>{title}</h1>
<p>{caption}</p>
{table}</body></html>
"""


def render_table(module: ModuleType, results: Results, stem: Path) -> dict:
    """Write stem.tex, .csv, .html and .json; returns the numbers of rows and of quantities that were not run."""
    table, title, caption = build_table(module, results), module.TITLE, module.CAPTION
    html = PAGE.format(
        title=escape.html(title), caption=escape.html(f"{caption} {table.status}".strip()), table=forms.html(table)
    )
    texts = {
        "tex": latex.render(table, name=stem.name, title=title, caption=caption, source=_source(results, stem.name)),
        "csv": table.csv(),
        "html": html,
        "json": table_json.dumps(table),
    }
    for suffix, text in texts.items():
        records.write_text(stem.with_name(f"{stem.name}.{suffix}"), text)
    return {"rows": len(table.rows), "not_run": len(table.not_run())}


def _source(results: Results, name: str) -> str:
    """Where a pasted table comes from: study, commit and command."""
    code = provenance.code(provenance.git_state())
    return f"study {results.study}, commit {code}, made by: snakemake {named.target(results.study, f'{name}.tex')}"


def build_table(module: ModuleType, results: Results) -> Table:
    return module.build(results)
