"""Step `figure`: results/<study>/<name>.pdf, .svg and .csv."""

from __future__ import annotations

from pathlib import Path

from audioprune import registry
from audioprune.exhibits.figure_files import render_figure
from audioprune.planning.plan import Plan
from audioprune.results.study import Results
from audioprune.steps._exhibit import main


def figure(plan: Plan, study: str, name: str, stem: Path) -> dict:
    results = Results(study, plan.exhibit_cells(study, "figure", name), plan.planner.facts)
    return render_figure(registry.get("figures", name), results, stem)


if __name__ == "__main__":
    main("figure", figure)
