"""Functions of wildcards only; they ask the plan. No rules here."""

from audioprune import registry
from audioprune.planning import batches


def cell_of(kind, wildcards):
    """The planned cell that a path names."""
    path = f"{kind}/{wildcards.address}/{wildcards.key}"
    cell = plan.planner.made.get(path) or plan.cells.get(path)
    if cell is None:
        raise WorkflowError(
            f"results/cells/{path} is in no study's plan: its settings, data or code have changed. "
            f"See: audioprune why {path}"
        )
    return cell


def taken(files, guards, fresh):
    """Inputs of a job. Time stamps say nothing: what is stale has a guard file, newer than its outputs.

    A job that is stale takes its inputs plainly, or Snakemake would not look at it when one of them is made again.
    """
    return [ancient(f) if fresh else f for f in files] + [str(path) for path in guards]


def inputs_of(kind):
    """Records of the cells that a cell takes in, and a guard file when the cell itself has to be made."""

    def inputs(wildcards):
        return taken(*plan.cell_inputs(cell_of(kind, wildcards)))

    return inputs


def batch_inputs(wildcards):
    """Records of the cells that a batch takes in, and a guard file for each cell that it makes."""
    return taken(*plan.batch_inputs(wildcards.batch))


def sheet_inputs(wildcards):
    """Records of the cells that a sheet's exhibits show, and a guard file for each exhibit."""
    return taken(*plan.sheet_inputs(wildcards.sheet))


def cell_json(kind):
    return lambda wildcards: cell_of(kind, wildcards).as_json()


def study_of(wildcards):
    return wildcards.at.rstrip("/") or "paper"


def exhibit_inputs(kind):
    """Records of the cells that an exhibit shows, and a guard file when it has to be drawn again."""

    def inputs(wildcards):
        study = study_of(wildcards)
        files, guards, fresh = plan.exhibit_inputs(study, kind, wildcards.name)
        if not plan.has_exhibit(study, kind, wildcards.name):
            raise WorkflowError(
                f"the study {study!r} has no cells that {wildcards.name} shows; see config.yaml"
            )
        return taken(files, guards, fresh)

    return inputs


def exhibit_key(kind):
    return lambda wildcards: plan.exhibit_key(study_of(wildcards), kind, wildcards.name)


def report_inputs(wildcards):
    """Every exhibit of the study."""
    return taken(*plan.report_inputs(study_of(wildcards)))


def report_of(study):
    return f"results/{'' if study == 'paper' else study + '/'}report.html"


def gpus(kind):
    """GPUs of a cell's job."""
    return lambda wildcards: batches.gpus(cell_of(kind, wildcards))


def names(kind):
    return "|".join(registry.names(kind))
