"""What rules ask: functions of wildcards, answered by the run. No rules here."""

from audioprune.cells.cell import study_folder
from audioprune.exhibits import named
from audioprune.planning import exhibits


def asked(question):
    """An answer of the run; its errors are Snakemake's."""

    def answer(*arguments):
        try:
            return question(*arguments)
        except UserError as error:
            raise WorkflowError(str(error)) from None

    return answer


def taken(inputs):
    """Input files of a job. Time stamps say nothing: what is stale has a guard file, newer than its outputs."""
    return [ancient(f) if inputs.fresh else f for f in inputs.files] + inputs.guards


@asked
def cell_inputs(wildcards):
    """The records of the cells that a cell takes in."""
    return taken(run.cell_inputs(path_of(wildcards)))


@asked
def batch_inputs(wildcards):
    """The records of the cells that a batch takes in."""
    return taken(run.batch_inputs(path_of(wildcards)))


@asked
def job(wildcards):
    """The file that says what a job makes."""
    return str(run.job(path_of(wildcards)))


@asked
def gpus(wildcards):
    """GPUs of a job."""
    return run.gpus(path_of(wildcards))


@asked
def cores(wildcards):
    """All cores for what is timed: nothing else runs beside it."""
    return workflow.cores or 1 if run.alone(path_of(wildcards)) else 1


def path_of(wildcards):
    """What identifies a cell or a batch: `<kind>/<address>/<key>`."""
    return f"{getattr(wildcards, 'kind', 'batch')}/{wildcards.address}/{wildcards.key}"


@asked
def copy_inputs(wildcards):
    """The record of the exhibit's cell; of a report also the copies of all that it shows."""
    return taken(run.copy_inputs(study_of(wildcards), wildcards.name))


@asked
def copied(wildcards):
    """Folder of the exhibit's cell."""
    return str(plan.shown_as(study_of(wildcards), wildcards.name).dir)


def study_of(wildcards):
    return wildcards.at[:-1] or "paper"


@asked
def nearest(wildcards):
    """No input: an error that names the target that is nearest to what was typed."""
    run.refuse(wildcards.target)


def report_of(study):
    return str(study_folder(study) / "report.html")
