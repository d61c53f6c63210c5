"""Where tokens lie by intensity and variation, before and after pruning (paper.md 3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.figures import _panels, _seen
from audioprune.results.tokens import analysed
from audioprune.wording import number

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results
    from audioprune.results.tokens import Group

TITLE = "Tokens by intensity and variation, before and after pruning"
CAPTION = (
    "Density of tokens, as log(1 + density), by mean and standard deviation of their patches: of the input's tokens "
    "and of those that survive all stages, at the keep-rate nearest to 0.5. All panels of a dataset share one colour "
    "scale; darker is rarer. Standard deviations above three quarters of their range are left out, as released. "
    "Padding, which has one mean and no deviation, is left out too; its share of a panel's tokens is in the title."
)
RATE = 0.5
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
    width = 1 + max(map(len, by_dataset.values()))
    fig, axes = style.figure(len(by_dataset), width, height=1.9 * len(by_dataset) + 0.2)
    rows = []
    for row, (dataset, shown) in zip(axes, by_dataset.items()):
        rows += _row(fig, row, results, dataset, shown)
    for ax in axes[-1]:
        ax.set_xlabel("patch mean")
    return fig, pd.DataFrame(rows, columns=COLUMNS)


def _row(fig: Figure, axes: list[Axes], results: Results, dataset: str, shown: list[Group]) -> list[tuple]:
    from audioprune.tokens.occurrence import log_density

    first, panels = counted(results, shown[0]), []
    panels.append(("input", shown[0], *_of(first, "input")))
    panels += [("survivors", g, *_of(counted(results, g), f"after_{g.blocks[-1]}")) for g in shown]
    edges = first["mean_edges"], first["std_edges"]
    shades = [log_density(counts, edges) for _, _, counts, _ in panels]
    top, rows = max(float(s.max()) for s in shades), []
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    for ax, (panel, group, counts, padding), shade in zip(axes, panels, shades):
        extent = (edges[0][0], edges[0][-1], edges[1][0], edges[1][-1])
        mesh = ax.imshow(
            shade.T,
            origin="lower",
            aspect="auto",
            extent=extent,
            vmin=0,
            vmax=top,
            cmap="viridis",
            interpolation="none",
        )
        ax.grid(False)
        after = f"{group.backbone}, kept at {group.keep_rate:g}" if panel == "survivors" else f"{dataset}: input"
        after += f"\npadding {100 * padding:.0f} %"
        ax.set_title(after, loc="left", fontsize=8, fontweight="bold" if panel == "input" else "normal")
        backbone, rate = (group.backbone, group.keep_rate) if panel == "survivors" else ("", 1.0)
        for (i, j), tokens in _every(counts):
            centre = ((edges[0][i] + edges[0][i + 1]) / 2, (edges[1][j] + edges[1][j + 1]) / 2)
            rows.append((dataset, backbone, rate, panel, padding, *map(float, centre), int(tokens), float(shade[i, j])))
    axes[0].set_ylabel("patch std")
    fig.colorbar(mesh, ax=list(axes), label="log(1 + density)", fraction=0.04, pad=0.01)
    return rows


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
