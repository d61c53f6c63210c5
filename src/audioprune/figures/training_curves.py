"""Training curves: loss, metric and keep-rate by epoch of every fine-tuning of the study, folds and seeds averaged."""

from __future__ import annotations

from audioprune.evaluations import variants
from audioprune.figures import _style
from audioprune.results import label

TITLE = "Training curves"
CAPTION = (
    "Training loss, metric on the test clips and keep-rate by epoch; lines are means over folds and seeds, bands their "
    "smallest and largest values. Line style tells the backbones apart, colour the keep-rates."
)
METRICS = {"top1": "test top-1 accuracy (%)", "map": "test mAP × 100", "wer": "test word error rate (%)"}
RUN = ("backbone", "dataset", "method", "variant", "keep_rate", "fold", "seed")
EPOCH = ("epoch", "lr", "epoch_keep_rate", "train_loss", "test_metric")


def needs(study) -> list:
    return study.cells("finetune")


def draw(results):
    frame = histories(results)
    if frame.empty:
        return _style.empty(next((r.why for r in results.cells("finetune")), "the study trains nothing")), frame
    datasets = list(dict.fromkeys(frame["dataset"]))
    colours, lines = _style.rate_colours(frame["keep_rate"]), _style.assigned(_line(r) for r in frame.itertuples())
    height = 1.9 * len(datasets) + 0.2 + 0.1 * (len(colours) + len(lines))
    fig, axes = _style.figure(len(datasets), 3, height=height)
    for panels, dataset in zip(axes, datasets, strict=True):
        _panels(panels, frame[frame["dataset"] == dataset], colours, lines)
        panels[0].set_ylabel("training loss")
        panels[1].set_ylabel(METRICS[results.dataset(dataset).metric])
        panels[2].set_ylabel("keep-rate")
        panels[0].set_title(dataset, loc="left", fontweight="bold")
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    _legend(fig, colours, lines)
    return fig, frame


def _line(row) -> str:
    """What has a line style of its own; the unpruned model and topk share their backbone's."""
    return " ".join(filter(None, (row.backbone, "" if row.method in ("none", "topk") else row.method, row.variant)))


def _panels(panels, frame, colours: dict, lines: dict) -> None:
    names = [_line(r) for r in frame.itertuples()]
    for (name, rate), own in frame.groupby([names, "keep_rate"], sort=False):
        look = {"color": colours[rate], "ls": _look(lines[name])}
        for ax, column in zip(panels, ("train_loss", "test_metric", "epoch_keep_rate"), strict=True):
            by_epoch = own.groupby("epoch")[column].agg(["mean", "min", "max"]).dropna()
            x = by_epoch.index.to_numpy() + 1
            few = "o" if len(x) <= 5 else None  # a line through one point cannot be seen
            ax.plot(x, by_epoch["mean"], marker=few, ms=3.5, **look)
            if (by_epoch["max"] > by_epoch["min"]).any():
                ax.fill_between(x, by_epoch["min"], by_epoch["max"], color=look["color"], alpha=0.12, lw=0)
    panels[2].set_ylim(0, 1.05)
    for ax in panels:
        ax.xaxis.get_major_locator().set_params(integer=True)


def _legend(fig, colours: dict, lines: dict) -> None:
    from matplotlib.lines import Line2D

    rates = [Line2D([], [], color=c, lw=2.5, label=f"keep-rate {rate:g}") for rate, c in colours.items()]
    styles = [Line2D([], [], color="#333333", ls=_look(n), label=name) for name, n in lines.items()]
    handles = [*rates, *styles]
    columns = _style.legend_columns([h.get_label() for h in handles], 3)
    fig.legend(handles=handles, loc="outside upper center", ncols=columns)


def _look(number: int):
    return _style.LINES[number % len(_style.LINES)]


def histories(results):
    """history.csv of every fine-tuning, one below the other."""
    import pandas as pd

    parts, cells = [], results.cells("finetune")
    variant = variants(cells)
    for r in cells:
        if r.ok:
            s = r.settings
            own = {"backbone": s.model.backbone, "dataset": s.dataset, "method": label(s.pruning)}
            own |= {"variant": variant[r.path], "fold": s.fold, "seed": s.seed}
            history = r.frame().rename(columns={"keep_rate": "epoch_keep_rate"})
            history["test_metric"] *= 100
            parts.append(history.assign(**own, keep_rate=s.pruning.keep_rate))
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*RUN, *EPOCH])
    return frame[[*RUN, *EPOCH]]
