"""Training curves: loss, metric and keep-rate by epoch of every fine-tuning of the study, folds and seeds averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.figures import _seen
from audioprune.figures._series import variants_shown
from audioprune.labels import method_label
from audioprune.results.evaluations import variants
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Training curves"
CAPTION = (
    "All fine-tunings of the study by epoch, dataset by dataset; the axis of a panel names the quantity. Last, the "
    "keep-rates that they are trained at. Lines are means over folds and seeds; lines without a marker are topk or "
    "unpruned."
)
KEEP_RATE, WIDE = "epoch_keep_rate", 4  # its column; panels in a row
NAMES = {"train_loss": "training loss", KEEP_RATE: "keep-rate"}
METRICS = {"top1": "test top-1 accuracy (%)", "map": "test mAP × 100", "wer": "test word error rate (%)"}
RUN = ("backbone", "dataset", "method", "variant", "keep_rate", "fold", "seed")
EPOCH = ("epoch", "lr", "epoch_keep_rate", "train_loss", "test_metric")


def needs(study: Cells) -> list:
    return study.cells("finetune")


def draw(results: Results) -> tuple[Figure, DataFrame]:
    frame = histories(results)
    if frame.empty:
        return style.empty(next((r.why for r in results.cells("finetune")), "the study trains nothing")), frame
    datasets = list(dict.fromkeys(frame["dataset"]))
    shown = frame.assign(variant=variants_shown(frame, "backbone", "dataset", "method", "keep_rate"))
    looks = Looks(
        style.rate_colours(frame["keep_rate"]),
        style.assigned(frame["backbone"]),
        style.assigned(["", *(_method(row) for row in shown.itertuples())]),
    )
    panels = [(dataset, column) for dataset in datasets for column in _curves(frame)] + [("", KEEP_RATE)]
    lines = len(looks.colours) + len(looks.lines) + len(looks.markers)
    fig, axes = style.panels(len(panels), each=1.7, above=0.2 + 0.1 * lines, wide=WIDE)
    for ax, (dataset, column) in zip(axes, panels, strict=True):
        _panel(ax, shown[shown["dataset"] == dataset] if dataset else shown, column, looks)
        ax.set_title(dataset or "all models", loc="left", fontsize=8)
        ax.set_ylabel(METRICS[results.dataset(dataset).metric] if column == "test_metric" else NAMES[column])
    for ax in axes[-WIDE:]:
        ax.set_xlabel("epoch")
    _legend(fig, looks)
    return fig, frame


@dataclass(frozen=True)
class Looks:
    colours: dict[float, tuple]  # by keep-rate
    lines: dict[str, int]  # by backbone
    markers: dict[str, int]  # by method and variant; the first, without a name, has none


def _method(row: Any) -> str:
    return " ".join(filter(None, ("" if row.method in ("none", "topk") else row.method, row.variant)))


def _curves(frame: DataFrame) -> list[str]:
    """Columns to show of every dataset: the metric only where it was taken more than once in a run."""
    often = frame.dropna(subset=["test_metric"]).groupby(list(RUN), dropna=False)["epoch"].count().max() > 1
    return ["train_loss", *(["test_metric"] if often else [])]


def _panel(ax: Axes, frame: DataFrame, column: str, looks: Looks) -> None:
    methods = [_method(row) for row in frame.itertuples()]
    for (_, backbone, method, rate), own in frame.groupby(["dataset", "backbone", methods, "keep_rate"], sort=False):
        by_epoch = own.groupby("epoch")[column].agg(["mean", "min", "max"]).dropna()
        x, marker = by_epoch.index.to_numpy() + 1, _marker(looks.markers[method])
        look = {"color": looks.colours[rate], "ls": _look(looks.lines[backbone]), "markevery": max(1, len(x) // 6)}
        ax.plot(x, by_epoch["mean"], marker=marker, ms=3.5, **look)
        if (by_epoch["max"] > by_epoch["min"]).any():
            ax.fill_between(x, by_epoch["min"], by_epoch["max"], color=look["color"], alpha=0.12, lw=0)
    if column == KEEP_RATE:
        ax.set_ylim(0, 1.05)
    ax.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]


def _legend(fig: Figure, looks: Looks) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    grey = "#333333"
    handles: list[Artist] = []
    handles += [Line2D([], [], color=c, lw=2.5, label=f"keep-rate {rate:g}") for rate, c in looks.colours.items()]
    handles += [Line2D([], [], color=grey, ls=_look(n), label=name) for name, n in looks.lines.items()]
    named = [(name, n) for name, n in looks.markers.items() if name]
    handles += [Line2D([], [], color=grey, ls="none", marker=_marker(n), label=name) for name, n in named]
    if any(ax.collections for ax in fig.axes):
        handles.append(Patch(color=grey, alpha=0.12, lw=0, label="smallest to largest"))
    columns = style.legend_columns([str(h.get_label()) for h in handles], 3)
    fig.legend(handles=handles, loc="outside upper center", ncols=columns)


def _look(number: int) -> Any:
    return style.LINES[number % len(style.LINES)]


def _marker(number: int) -> str | None:
    return style.MARKERS[(number - 1) % len(style.MARKERS)] if number else None


def histories(results: Results) -> DataFrame:
    """history.csv of every fine-tuning, one below the other."""
    import pandas as pd

    parts, cells = [], results.cells("finetune")
    variant = variants(cells)
    for r in cells:
        if r.ok:
            s = r.settings
            own = {"backbone": s.model.backbone, "dataset": s.dataset, "method": method_label(s.pruning)}
            own |= {"variant": variant[r.path], "fold": s.fold, "seed": s.seed}
            history = r.frame().rename(columns={"keep_rate": "epoch_keep_rate"})
            history["test_metric"] *= 100
            parts.append(history.assign(**own, keep_rate=s.pruning.keep_rate))
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*RUN, *EPOCH])
    return frame[[*RUN, *EPOCH]]


def seen(rows: _seen.Rows) -> str:
    """Of every model the mean training loss of its first and of its last epoch."""
    return _seen.of_each(rows, _seen.MODEL, _said)


def _said(rows: _seen.Rows) -> str:
    epochs = {int(epoch): own for (epoch,), own in _seen.parts(rows, "epoch").items()}
    first, last = (number(_seen.mean(epochs[at], "train_loss"), 2) for at in (min(epochs), max(epochs)))
    return f"training loss {first} in the first epoch, {last} in the last of {len(epochs)}"
