"""What a drawing step sees of the study: the cells that its exhibit shows, with all their inputs."""

from __future__ import annotations

from audioprune.planning.stages import dataset_facts
from audioprune.results.study import Results
from audioprune.settings.exhibits import ExhibitSettings, ReportSettings
from audioprune.steps._run import Job


def results_of(job: Job[ExhibitSettings] | Job[ReportSettings]) -> Results:
    """The study's results, as far as the job was given them; facts of users' data are those of their audio cells.

    What one exhibit of a process has read, the others need not read again.
    """
    audio = [cell.settings for cell in job.cells if cell.kind == "audio"]
    users = {own.dataset: own.user for own in audio if own.user}
    shown = [cell for cell in job.cells if cell.kind not in ("table", "figure")]
    declared = job.settings.contrasts if isinstance(job.settings, ExhibitSettings) else ()
    return Results(job.settings.study, shown, lambda name: dataset_facts(name, users), declared, job.shared)
