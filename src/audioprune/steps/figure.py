"""Step `figure`: <name>.pdf, .svg and .csv, which users find in results/<study>/."""

from __future__ import annotations

from audioprune import registry
from audioprune.exhibits.figure_files import render_figure
from audioprune.settings import ExhibitSettings
from audioprune.steps._drawing import results_of
from audioprune.steps._run import Job, main


def figure(job: Job[ExhibitSettings]) -> dict:
    name = job.settings.name
    return render_figure(registry.get("figures", name), results_of(job), job.out / name)


if __name__ == "__main__":
    main(figure)
