"""Step `table`: results/<study>/<name>.tex, .csv, .html and .json."""

from __future__ import annotations

from pathlib import Path

from audioprune import registry
from audioprune.exhibits.table_files import render_table
from audioprune.planning.plan import Plan
from audioprune.results.study import Results
from audioprune.steps._exhibit import main


def table(plan: Plan, study: str, name: str, stem: Path) -> dict:
    results = Results(study, plan.exhibit_cells(study, "table", name), plan.planner.facts)
    return render_table(registry.get("tables", name), results, stem)


if __name__ == "__main__":
    main("table", table)
