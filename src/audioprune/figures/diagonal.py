"""Signal tokens kept against all tokens kept, in the published token analysis: on the diagonal, nothing was selected.

A selection that does not look at the signal keeps the share K / N of it, whatever the clips (forensics.null_model).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.forensics import null_model
from audioprune.wording import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from audioprune.cells.query import Cells
    from audioprune.results.study import Results

TITLE = "Published share of signal tokens kept, against the share of all tokens kept"
CAPTION = (
    "Every ratio B that P0 prints, at each of the three pruning stages, against K / N, the share of all tokens that "
    "are kept there. The line is what a selection that does not look at the signal gives. P0 is withdrawn."
)
STANDALONE = True  # shows no cells: every study has it
PUBLISHED = ("table2", "table5")  # files of report/published that it shows
PLUGINS = ("datasets",)  # whose clips say how many tokens there are
COLUMNS = ("series", "dataset", "keep_rate", "stage", "tokens_kept", "signal_kept", "excess")
SERIES = (  # of P0: its table, the backbone, the name of both here, and the marker
    ("Table 2", "audiomae-b", "AudioMAE, global score", "o"),
    ("Table 5", "audiomae-b", "AudioMAE, class token", "+"),
    ("Table 5", "ast-b", "AST", "^"),
)


def needs(study: Cells) -> list:
    """No cells: published numbers alone."""
    return []


def draw(results: Results) -> tuple[Figure, DataFrame]:
    import pandas as pd

    found = [_row(*printed) for name in PUBLISHED for printed in null_model.kept_signal(name)]
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    fig, axes = style.figure(1, 1, height=2.9, width=4.6)
    ax = axes[0][0]
    ax.plot([0, 100], [0, 100], color="#888888", lw=1, zorder=1)
    ax.annotate("random selection", (58, 55), rotation=40, ha="center", va="top", color="#555555", fontsize=7.5)
    for i, (exhibit, _, name, marker) in enumerate(SERIES):
        own = frame[frame["series"] == name]
        look: dict[str, Any] = {
            "color": style.COLOURS[i],
            "marker": marker,
            "ls": "none",
            "ms": 5,
            "mfc": "none",
            "mew": 1.2,
        }
        label = f"{name}, P0 {exhibit}: {len(own)} values, up to {own['excess'].abs().max():.1f} points off"
        ax.plot(own["tokens_kept"], own["signal_kept"], label=label, **look)
    ax.set(xlim=(0, 102), ylim=(0, 128), xlabel="tokens kept, K / N (%)", ylabel="signal tokens kept, ratio B (%)")
    ax.set_yticks(range(0, 101, 20))
    ax.legend(loc="upper left", borderaxespad=0.2)
    return fig, frame


def _row(row: Mapping[str, str], stage: int, kept: float) -> tuple:
    series = next(name for exhibit, of, name, _ in SERIES if (exhibit, of) == (row["exhibit"], row["backbone"]))
    value = float(row["value"])
    return series, row["dataset"], float(row["keep_rate"]), stage + 1, kept, value, value - kept


def seen(rows: Sequence[Mapping[str, str]]) -> str:
    """What is seen, from the figure's data, for those who cannot see it."""
    said = []
    for _, _, name, _ in SERIES:
        off = [float(row["excess"]) for row in rows if row["series"] == name]
        ends = " to ".join(number(end, 1, signed=True) for end in (min(off), max(off)))
        said.append(f"the {len(off)} values of {name} lie from {ends} points off it")
    return f"Ratio B against K / N, with the line of random selection: {'; '.join(said)}."
