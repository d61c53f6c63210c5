"""Step `table`: <name>.tex, .csv, .html and .json, which users find in results/<study>/."""

from __future__ import annotations

from types import ModuleType
from typing import cast

from audioprune.exhibits import named
from audioprune.exhibits.table_files import render_table
from audioprune.settings.exhibits import ExhibitSettings
from audioprune.steps._drawing import results_of
from audioprune.steps._run import Job, main


def table(job: Job[ExhibitSettings]) -> dict:
    return render_table(cast(ModuleType, named.of("table", job.settings)), results_of(job), job.out / job.settings.name)


if __name__ == "__main__":
    main(table)
