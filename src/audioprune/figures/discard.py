"""What is lost when tokens of low or of high intensity are discarded after a block (released code: cluster discarding).

A clip that has no token left is wrong here. The released code skips it, so that the number of clips changes with what
is discarded (B19): those values stand beside ours, with the number of clips of both in the data.
"""

from __future__ import annotations

from audioprune.evaluations import DRAWS, INTERVAL, LEVEL, tidy
from audioprune.figures import _style
from audioprune.planning.cells import as_trained, value_of
from audioprune.tables._rows import METRICS

TITLE = "Discarding tokens by intensity"
CAPTION = (
    "Accuracy (or mAP) of the unpruned model when tokens of the two lowest (C1C2) or highest (C4C5) of five intensity "
    "clusters are discarded after one block, against as many tokens of each clip at random (dashed). A clip without a "
    "token counts as wrong; crosses: such clips left out, as released. Dotted: nothing discarded. "
    f"Bars: {INTERVAL}."
)
SETS = {"C1C2": "without C1 and C2 (low intensity)", "C4C5": "without C4 and C5 (high intensity)"}
WHERE = ("backbone", "dataset", "discarded", "control", "block")
VALUES = ("metric", "value", "low", "high", "n", "value_skipped", "n_skipped", "tokens_left")
BELOW = ("below_control", "below_control_low", "below_control_high")  # control minus discarded, paired
COLUMNS = (*WHERE, *VALUES, *BELOW)


def needs(study) -> list:
    """Discards, of one recipe for each backbone and dataset, and what their models do unpruned."""
    first: dict[tuple, tuple] = {}
    found = [c for c in study.cells("discard") if first.setdefault(_place(c), _recipe(c)) == _recipe(c)]
    tuned = {c.inputs["finetune"].path for c in found}
    plain = [c for c in study.cells("evaluate", selection="last") if as_trained(c)]
    return [*found, *(c for c in plain if c.inputs["finetune"].path in tuned)]


def _place(cell) -> tuple[str, str]:
    return value_of(cell, "backbone"), value_of(cell, "dataset")


def _recipe(cell) -> tuple:
    tuned = cell.inputs["finetune"].settings
    return tuned.recipe, tuned.augment, tuned.split, tuned.initial


def draw(results):
    frame = points(results)
    if frame.empty:
        missing = (r.why for r in results.cells("discard") if not r.ok)
        return _style.empty(next(missing, "the study has no discarding of clusters")), frame
    datasets = list(dict.fromkeys(frame["dataset"]))
    fig, axes = _style.figure(len(datasets), len(SETS), height=2.3 * len(datasets) + 0.5)
    order = _style.assigned(frame["backbone"])
    plain = _unpruned(results)
    for line, dataset in zip(axes, datasets, strict=True):
        for ax, one in zip(line, SETS, strict=True):
            own = frame[(frame["dataset"] == dataset) & (frame["discarded"] == one)]
            _panel(ax, own, order, {b: value for (b, d), value in plain.items() if d == dataset})
            ax.set_title(f"{dataset}, {SETS[one]}", loc="left")
        low, high = (f(ax.get_ylim()[i] for ax in line) for i, f in ((0, min), (1, max)))
        for ax in line:
            ax.set_ylim(low, high)
    handles = {text: h for ax in axes[0] for h, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    fig.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(3, len(handles)))
    return fig, frame


def _unpruned(results) -> dict[tuple, float]:
    """{(backbone, dataset): value with nothing discarded}."""
    wanted = {c.path for c in needs(results) if c.kind == "evaluate"}
    rows = (row for row in tidy(results).itertuples() if wanted.issuperset(row.cells) and row.runs)
    return {(row.backbone, row.dataset): row.value for row in rows}


def points(results):
    """One row for each backbone, dataset, set, control and block, in percent, and what the control does better."""
    import pandas as pd

    by_place: dict[tuple, list] = {}
    for r in needs(results):
        if r.kind == "discard" and r.ok:
            by_place.setdefault(_place(r), []).append(r)
    rows = [row for place, own in by_place.items() for row in _rows(results.dataset(place[1]), place, own)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(facts, place: tuple, runs: list):
    import pandas as pd

    frames = [r.frame().assign(seed=r.inputs["finetune"].settings.seed, run=i) for i, r in enumerate(runs)]
    for (one, block), own in pd.concat(frames).groupby(["discarded", "block"]):
        kinds = dict(list(own.groupby("control")))
        drawn = {control: _drawn(facts, group) for control, group in kinds.items()}
        for control, group in kinds.items():
            row = {**dict(zip(WHERE, (*place, one, bool(control), int(block)), strict=True)), "metric": facts.metric}
            yield row | _values(facts, group, drawn[control]) | (_below(drawn) if not control else {})


def _values(facts, group, drawn) -> dict:
    """Means over runs, the interval of the pooled clips moved to stand around it."""
    import pandas as pd

    from audioprune.statistics.bootstrap import contrast, interval
    from audioprune.training.emptied import metric_of

    by_run = pd.DataFrame([metric_of(run, facts.metric) for _, run in group.groupby("run")])
    value, found = 100 * by_run["value"].mean(), interval(contrast((100, drawn)), level=LEVEL)
    shift = value - found.estimate
    sizes = {"n": int(by_run["n"].sum()), "n_skipped": int(by_run["n_skipped"].sum())}
    beside = {"value_skipped": 100 * by_run["value_skipped"].mean(), "tokens_left": group["tokens_left"].mean()}
    return {"value": value, "low": found.low + shift, "high": found.high + shift, **beside, **sizes}


def _below(drawn: dict) -> dict:
    from audioprune.statistics.bootstrap import contrast, interval

    found = interval(contrast((100, drawn[True]), (-100, drawn[False])), level=LEVEL)
    return dict(zip(BELOW, (found.estimate, found.low, found.high), strict=True))


def _drawn(facts, group):
    """The metric in every draw of recordings and seeds, emptied clips wrong."""
    import numpy as np

    from audioprune.statistics.bootstrap import draw
    from audioprune.statistics.units import unit_of

    there = ~group["emptied"].to_numpy(dtype=bool)
    if "correct" in group:
        right = (group["correct"].to_numpy(dtype=bool) & there).astype(int)
        group, metric = group.assign(numerator=right, denominator=1), "ratio"
    else:
        lowest = min(s.min() for s in group["scores"]) - 1
        scores = [s if t else np.full(len(s), lowest) for s, t in zip(group["scores"], there, strict=True)]
        group, metric = group.assign(scores=scores), facts.metric
    return draw(group.reset_index(drop=True), metric, unit=unit_of(facts), draws=DRAWS, seed=0)


def _panel(ax, frame, order: dict[str, int], plain: dict[str, float]) -> None:
    for (backbone, control), own in frame.groupby(["backbone", "control"], sort=False):
        number = order[backbone] % 7
        colour, marker, y = _style.COLOURS[number], _style.MARKERS[number], own["value"]
        bars = [(y - own["low"]).clip(lower=0), (own["high"] - y).clip(lower=0)]
        look = {"color": colour, "ls": _style.LINES[1] if control else "-", "capsize": 1.5, "elinewidth": 0.7}
        look |= {"marker": marker, "mfc": "white" if control else colour, "ms": 3.5}
        label = f"{backbone}, {'random' if control else 'discarded'}"
        ax.errorbar(own["block"] + 0.12 * control + 0.05 * number, y, yerr=bars, label=label, **look)
        skipped = own[own["n_skipped"] < own["n"]]
        if len(skipped) and not control:
            ax.plot(skipped["block"], skipped["value_skipped"], "x", color=colour, ms=4, zorder=3)
        if backbone in plain and not control:
            ax.axhline(plain[backbone], color=colour, lw=0.8, ls=":", zorder=1)
    ax.set_xlabel("discarded after block")
    ax.set_ylabel(METRICS[frame["metric"].iloc[0]].replace(", %", " (%)"))
    ax.set_xticks(sorted(frame["block"].unique()))
