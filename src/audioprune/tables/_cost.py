"""What a model costs, by keep-rate: MACs from the closed form, throughput from the study's timings."""

from __future__ import annotations

from audioprune.labels import method_label
from audioprune.results import Result, Results
from audioprune.settings import Pruning
from audioprune.tables._table import Cell, Column


def gmacs(results: Results, result: Result) -> float:
    """GMACs of one clip for the model of an evaluation, in closed form."""
    from audioprune.profiling.macs import count

    tuned, pruning = result.inputs["finetune"].settings, result.settings.pruning
    facts, model = results.dataset(tuned.dataset), tuned.model
    return count(
        model.backbone,
        frames=facts.frames,
        num_classes=facts.num_classes,
        method=pruning.method,
        keep_rate=pruning.keep_rate,
        blocks=pruning.blocks,
        options=pruning.options,
        patch=model.patch,
        stride=model.stride,
    ).gmacs


def timings(results: Results, backbone: str, dataset: str, kernel: str) -> dict[tuple[str, float], dict[str, Cell]]:
    """{(method, keep-rate): rates} of all that is timed for a backbone on a dataset; keep-rate 1 has method none.

    Of models whose patches do not overlap, as all that are trained.
    """
    facts, found = results.dataset(dataset), {}
    for r in results.cells("throughput", backbone=backbone, frames=facts.frames, num_classes=facts.num_classes):
        if r.settings.model.kernel == kernel and r.settings.model.stride == r.settings.model.patch:
            method = method_of(r)
            for rate, cells in rates(r).items():
                found.setdefault(("none" if rate == 1 else method, rate), cells)
    return found


def checked(results: Results) -> str:
    """What is known of the closed form: how many model shapes torchprofile has counted alike."""
    macs = results.cells("macs")
    alike = sum(r.ok and not r.frame()["difference"].any() for r in macs)
    return f"; torchprofile on the eager kernel counts the same for {alike} of {len(macs)} model shapes" if macs else ""


def method_of(timing: Result) -> str:
    """The method's label of a timing, as an evaluation would have it."""
    s = timing.settings
    return method_label(Pruning(method=s.method, keep_rate=0.5, options=s.options, blocks=s.blocks))


def rates(timing: Result) -> dict[float, dict[str, Cell]]:
    """By keep-rate: median samples a second and the ratio to keep-rate 1 of the same run, each with its quartiles."""
    from audioprune.profiling.timings import summary

    if not timing.ok:
        why = Cell(why=timing.why)
        return {rate: {"samples_per_s": why, "speed_up": why} for rate in timing.settings.keep_rates}
    rows = summary(timing.frame(), timing.settings.batch_size).to_dict("records")
    return {
        row["keep_rate"]: {
            name: Cell(row[name], row[f"{name}_low"], row[f"{name}_high"]) for name in ("samples_per_s", "speed_up")
        }
        for row in rows
    }


def column(rows) -> Column:
    """The column of `gmacs`: in millions where a model has less than half a billion."""
    small = min((row.cells["gmacs"] for row in rows if "gmacs" in row.cells), default=1) < 0.5
    return Column("gmacs", "MACs", "M" if small else "G", scale=1000 if small else 1)
