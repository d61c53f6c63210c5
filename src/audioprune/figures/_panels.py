"""Figures of token analyses: panels for each model on a dataset, keep-rates by colour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audioprune.exhibits import display
from audioprune.results.tokens import Group, groups
from audioprune.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from audioprune.results.study import Result, Results

PRUNING = (0, (2, 2))  # lines of pruning blocks
NOTHING = "the study traces no such model"


def there(results: Results, cells: Iterable[Result]) -> list[Group]:
    """The groups of these cells that have something to show."""
    return [group for group in groups(results, cells) if group.cells]


def why(results: Results, cells: Iterable[Result]) -> str:
    return next((group.why for group in groups(results, cells) if group.why), NOTHING)


def by_model(shown: list[Group]) -> list[list[Group]]:
    """Groups of one model on one dataset together: its keep-rates."""
    found: dict[tuple, list[Group]] = {}
    for g in shown:
        found.setdefault((g.dataset, g.backbone, g.method, g.score, g.variant, g.signal), []).append(g)
    return list(found.values())


def name(group: Group) -> str:
    """'AudioMAE-Tiny (class token)', below it 'ESC-10'; the method's options only."""
    options = display.method(group.method).partition(" ")[2]
    first = " ".join(filter(None, (display.backbone(group.backbone), options)))
    second = ", ".join(filter(None, (display.dataset(group.dataset), display.text(group.variant))))
    return f"{clean(first)}\n{clean(second)}"


def where(group: Group) -> dict:
    """What every row of a figure's data says of its model."""
    fixed = {"backbone": group.backbone, "dataset": group.dataset, "method": group.method}
    return fixed | {"variant": group.variant, "score": group.score, "keep_rate": group.keep_rate}


def rate_legend(fig: Figure, colours: dict, more: Iterable = (), *, blocks: bool = True) -> None:
    """Keep-rates by colour above all panels, further handles, and the line of pruning blocks where there are any."""
    from matplotlib.lines import Line2D

    rates = [Line2D([], [], color=c, lw=2.5, label=f"keep-rate {rate:g}") for rate, c in colours.items()]
    pruning = [Line2D([], [], color="#666666", lw=0.9, ls=PRUNING, label="pruning block")] if blocks else []
    handles = [*rates, *more, *pruning]
    fig.legend(handles=handles, loc="outside upper center", ncols=min(5, len(handles)))


def mark_pruning(ax: Axes, blocks: Iterable[int]) -> None:
    for block in blocks:
        ax.axvline(block, color="#666666", lw=0.9, ls=PRUNING, zorder=1.2)
    ax.grid(axis="x", visible=False)


def block_axis(ax: Axes, last: int, step: int = 1) -> None:
    ax.set_xticks(range(0, last + 1, step if last < 13 else 2 * step))
    ax.set_xlim(-0.5, last + 0.5)
