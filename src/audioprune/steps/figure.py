"""Step `figure`: <name>.pdf, .svg and .csv, which users find in results/<study>/."""

from __future__ import annotations

from audioprune.exhibits import named
from audioprune.exhibits.figure_files import render_figure
from audioprune.settings.exhibits import ExhibitSettings
from audioprune.steps._drawing import results_of
from audioprune.steps._run import Job, main


def figure(job: Job[ExhibitSettings]) -> dict:
    return render_figure(named.of("figure", job.settings), results_of(job), job.out / job.settings.name)


if __name__ == "__main__":
    main(figure)
