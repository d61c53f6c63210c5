"""The cost of a model by keep-rate: MACs from the closed form, throughput from the study's timings."""

from __future__ import annotations

from collections.abc import Iterable

from audioprune.labels import method_label
from audioprune.results.estimate import Absent, Estimate
from audioprune.results.study import Result, Results
from audioprune.settings.model import Pruning
from audioprune.settings.training import FinetuneSettings
from audioprune.wording import number

KERNELS = ("eager", "fused")  # attention with explicit maps (the published protocol), and without them
RATES = ("samples_per_s", "speed_up")


def gmacs(results: Results, result: Result) -> float:
    """GMACs of one clip for the model of an evaluation, in closed form."""
    return counted(results, result.inputs["finetune"].settings, result.settings.pruning) / 1e9


def counted(results: Results, tuned: FinetuneSettings, pruning: Pruning) -> int:
    """MACs of one clip for a fine-tuned model under this pruning, in closed form."""
    from audioprune.profiling.macs import count

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
    ).total


def counted_in(results: Results, result: Result) -> list[str]:
    """Paths of the cells in which torchprofile counted the model of an evaluation or a timing; of others none."""
    own = result.settings
    if result.kind == "evaluate":
        tuned, pruning = result.inputs["finetune"].settings, own.pruning
        facts, model = results.dataset(tuned.dataset), tuned.model
        frames, classes, rates = facts.frames, facts.num_classes, {pruning.keep_rate}
    elif result.kind == "throughput":
        model, pruning, frames, classes, rates = own.model, own, own.frames, own.num_classes, {*own.keep_rates}
    else:
        return []
    shape = {"backbone": model.backbone, "frames": frames, "num_classes": classes}
    alike = [r for r in results.cells("macs", **shape) if r.settings.model.stride == model.stride]
    if pruning.method == "none":
        return [r.path for r in alike if 1 in r.settings.keep_rates][:1]
    how = pruning.method, pruning.options, pruning.blocks
    pruned = [r for r in alike if (r.settings.method, r.settings.options, r.settings.blocks) == how]
    return [r.path for r in pruned if rates <= {*r.settings.keep_rates}]


def checked(results: Results) -> str:
    """What is known of the closed form: how many model shapes torchprofile has counted alike."""
    macs = results.cells("macs")
    alike = sum(r.ok and not r.frame()["difference"].any() for r in macs)
    return f"; torchprofile on the eager kernel counts the same for {alike} of {len(macs)} model shapes" if macs else ""


def timings(
    results: Results, backbone: str, dataset: str, kernel: str
) -> dict[tuple[str, float], dict[str, Estimate | Absent]]:
    """{(method, keep-rate): rates} of all that is timed for a backbone on a dataset; keep-rate 1 has method none.

    Of models whose patches do not overlap, as all that are trained.
    """
    facts = results.dataset(dataset)
    found: dict[tuple[str, float], dict[str, Estimate | Absent]] = {}
    for r in results.cells("throughput", backbone=backbone, frames=facts.frames, num_classes=facts.num_classes):
        if r.settings.model.kernel == kernel and r.settings.model.stride == r.settings.model.patch:
            for rate, own in rates(r).items():
                found.setdefault(("none" if rate == 1 else method_of(r), rate), own)
    return found


def protocol(timed: Iterable[Result]) -> str:
    """How these were timed: runs, warm-up, batches, precision, device and the machine's load; empty where none was."""
    there = [r for r in timed if r.ok]
    if not there:
        return ""
    said = [
        f"{_each(r.settings.runs for r in there)} runs after {_each(r.settings.warmup for r in there)} warm-up passes "
        "of every keep-rate",
        f"batches of {_each(r.settings.batch_size for r in there)} in {_each(r.settings.precision for r in there)}",
        f"on {_each(r.settings.device for r in there)}",
    ]
    loads = [own for own in (r.record["results"].get("load") for r in there) if own]
    ends = [own[end] for own in loads for end in ("before", "after")]
    if loads:
        least, most = number(min(ends), 1), number(max(ends), 1)
        held = least if least == most else f"{least} to {most}"
        said.append(f"its load was {held} (mean over a minute, {_each(own['cores'] for own in loads)} cores)")
    lacking = len(there) - len(loads)
    if lacking:
        said.append("its load was not recorded" + (f" of {lacking} of {len(there)} timings" if loads else ""))
    return f"Speed-ups are medians of the ratio to the unpruned model timed in the same run: {', '.join(said)}."


def _each(values: Iterable[object]) -> str:
    """Different values, in order of appearance: '6', '6 or 50'."""
    return " or ".join(dict.fromkeys(map(str, values)))


def method_of(timing: Result) -> str:
    """The method's label of a timing, as an evaluation would have it."""
    s = timing.settings
    return method_label(Pruning(method=s.method, keep_rate=0.5, options=s.options, blocks=s.blocks))


def rates(timing: Result) -> dict[float, dict[str, Estimate | Absent]]:
    """Median samples per second by keep-rate, and the ratio to keep-rate 1 of the same run, each with its quartiles."""
    from audioprune.profiling.timings import summary

    if not timing.ok:
        return {rate: {name: Absent(timing.why) for name in RATES} for rate in timing.settings.keep_rates}
    return {
        row["keep_rate"]: {name: _timed(timing, row, name) for name in RATES}
        for row in summary(timing.frame(), timing.settings.batch_size).to_dict("records")
    }


def _timed(timing: Result, row: dict, name: str) -> Estimate:
    quartiles = row[f"{name}_low"], row[f"{name}_high"]
    return Estimate(row[name], None, timing.settings.runs, 1, 1, (timing.path,), quartiles=quartiles)
