"""Where tokens lie by intensity and variation, before and after pruning (paper.md 3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from audioprune.exhibits import style
from audioprune.figures import _panels, _seen
from audioprune.results.tokens import analysed
from audioprune.wording import number

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results
    from audioprune.results.tokens import Group

TITLE = "Tokens by intensity and variation, before and after pruning"
CAPTION = (
    "Density of tokens, as log(1 + density), by mean and standard deviation of their patches: of the input's tokens "
    "and of those that survive all stages, at the keep-rate nearest to 0.5. All panels share one colour scale; darker "
    "is rarer. Models follow the input that they are of. Standard deviations above three quarters of their range are "
    "left out, as released. Padding, which has one mean and no deviation, is left out too; its share of a panel's "
    "tokens is in the title."
)
RATE = 0.5
WIDE = 4  # panels in a row
COLUMNS = ("dataset", "backbone", "keep_rate", "panel", "padding", "mean", "std", "tokens", "log_density")


def needs(study: Cells) -> list:
    return analysed(study, own=True)


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    cells = needs(results)
    by_dataset: dict[str, list] = {}
    for own in _panels.by_model(_panels.there(results, cells)):
        nearest = min(own, key=lambda g: abs(g.keep_rate - RATE))
        by_dataset.setdefault(nearest.dataset, []).append(nearest)
    if not by_dataset:
        return style.empty(_panels.why(results, cells)), pd.DataFrame(columns=COLUMNS)
    panels = [panel for dataset, shown in by_dataset.items() for panel in _panels_of(results, dataset, shown)]
    fig, axes = style.panels(len(panels), each=1.85, above=0.1, wide=WIDE)
    top = max(float(panel.shade.max()) for panel in panels)
    for ax, panel in zip(axes, panels, strict=True):
        mesh = _draw(ax, panel, top)
    for ax in axes[-WIDE:]:
        ax.set_xlabel("patch mean")
    for ax in axes[::WIDE]:
        ax.set_ylabel("patch std")
    fig.colorbar(mesh, ax=fig.axes, label="log(1 + density)", fraction=0.02, pad=0.01)
    return fig, pd.DataFrame([row for panel in panels for row in panel.rows()], columns=COLUMNS)


class Panel(NamedTuple):
    """Tokens of one dataset: those of its input, or what a model leaves of them."""

    dataset: str
    backbone: str  # empty: the input
    keep_rate: float
    counts: np.ndarray  # (means, deviations)
    padding: float  # share of its tokens
    edges: tuple[np.ndarray, np.ndarray]  # of the bins of means and of deviations

    @property
    def shade(self) -> np.ndarray:
        from audioprune.tokens.occurrence import log_density

        return log_density(self.counts, self.edges)

    @property
    def title(self) -> str:
        whose = f"{self.backbone} at {self.keep_rate:g}" if self.backbone else f"{self.dataset}: input"
        return f"{whose}\npadding {100 * self.padding:.0f} %"

    def rows(self) -> Iterator[tuple]:
        """Of every bin that has tokens."""
        centres = [(own[:-1] + own[1:]) / 2 for own in self.edges]
        shade, kind = self.shade, "survivors" if self.backbone else "input"
        for (i, j), tokens in _every(self.counts):
            at = float(centres[0][i]), float(centres[1][j]), int(tokens), float(shade[i, j])
            yield (self.dataset, self.backbone, self.keep_rate, kind, self.padding, *at)


def _panels_of(results: Results, dataset: str, shown: list[Group]) -> Iterator[Panel]:
    first = counted(results, shown[0])
    edges = first["mean_edges"], first["std_edges"]
    yield Panel(dataset, "", 1.0, *_of(first, "input"), edges)
    for group in shown:
        own = _of(counted(results, group), f"after_{group.blocks[-1]}")
        yield Panel(dataset, group.backbone, group.keep_rate, *own, edges)


def _draw(ax: Axes, panel: Panel, top: float) -> AxesImage:
    extent = (panel.edges[0][0], panel.edges[0][-1], panel.edges[1][0], panel.edges[1][-1])
    look: dict[str, Any] = {"origin": "lower", "aspect": "auto", "cmap": "viridis", "interpolation": "none"}
    mesh = ax.imshow(panel.shade.T, extent=extent, vmin=0, vmax=top, **look)
    ax.grid(False)
    ax.set_title(panel.title, loc="left", fontsize=7.5, fontweight="normal" if panel.backbone else "bold")
    return mesh


def _of(found: dict, panel: str) -> tuple[Any, float]:
    """Counts of a panel, and the share of its tokens that is padding."""
    tokens, padding = found[f"tokens_{panel}"], found[f"padding_{panel}"]
    return found[panel], float(padding / tokens)


def counted(results: Results, group: Group) -> dict:
    """Counts of all its folds and seeds together; the edges are those of the dataset."""
    import numpy as np

    found: dict = {}
    for path in group.cells:
        with np.load(results.cell(path).dir / "occurrence.npz") as saved:
            for name in saved.files:
                found[name] = saved[name] if name.endswith("edges") else found.get(name, 0) + saved[name]
    return found


def _every(counts: np.ndarray) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Where there are tokens, and how many."""
    import numpy as np

    return ((at, n) for at, n in np.ndenumerate(counts) if n)


def seen(rows: _seen.Rows) -> str:
    """Of every panel the mean level of its tokens, and how many of them are padding."""
    return _seen.of_each(
        rows, ("dataset",), lambda own: "; ".join(map(_said, _seen.parts(own, "panel", "backbone").values()))
    )


def _said(rows: _seen.Rows) -> str:
    tokens = sum(float(row["tokens"]) for row in rows)
    level = sum(float(row["tokens"]) * float(row["mean"]) for row in rows) / tokens
    whose = f"survivors of {rows[0]['backbone']}" if rows[0]["backbone"] else "input"
    return f"{whose}, mean level {number(level, 2)}, {100 * float(rows[0]['padding']):.0f} % padding"
