"""Null model of token selection: is a published share of kept signal tokens that of random selection? (paper.md 6.1)

Selected independently of the signal, ratio B at a stage is K / N whatever the clips, and ratio A is the signal share
times K_i / K_(i-1). P0's Table 2 keeps to that in all of its 36 cells; AST's rows of Table 5 do not.
"""

from __future__ import annotations

from audioprune import registry
from audioprune.facts.tokens import BLOCKS, keep_counts
from audioprune.profiling.macs import patches_of
from audioprune.results.findings import Finding, place, rows

TITLE = "Kept signal tokens against random selection"
PRINTED = ("table2", "table5")  # files of report/published with ratios A and B
LARGEST = 0.5  # pp: the largest distance from random selection that is called none


def kept(patches: int, keep_rate: float, stage: int) -> int:
    """K after the selections of stages 0 to `stage`."""
    return keep_counts(keep_rate, patches, 0, stage + 1)[-1]


def excess(ratio_b: float, patches: int, keep_rate: float, stage: int) -> float:
    """Ratio B minus K / N, in percentage points."""
    return ratio_b - 100 * kept(patches, keep_rate, stage) / patches


def implied_signal(ratio_a: float, patches: int, keep_rate: float, stage: int) -> float:
    """Percent of the tokens that would be signal if ratio A came from random selection."""
    entering = kept(patches, keep_rate, stage - 1) if stage else patches
    return ratio_a * entering / kept(patches, keep_rate, stage)


def findings() -> list[Finding]:
    shares = [row for name in PRINTED for row in rows(name, "ratio_b")]
    return [*map(_finding, shares), *_shares()]


def kept_signal(name: str) -> list[tuple[dict[str, str], int, float]]:
    """Rows of printed ratios B, with the stage, counted from 0, and K / N of each in percent."""
    found = [(row, *_where(row)) for row in rows(name, "ratio_b")]
    return [(row, stage, 100 * kept(patches, rate, stage) / patches) for row, patches, rate, stage in found]


def _finding(row: dict[str, str]) -> Finding:
    patches, rate, stage = _where(row)
    over, k = excess(float(row["value"]), patches, rate, stage), kept(patches, rate, stage)
    expected = f"{100 * k / patches:.2f} % = {k} / {patches}"
    return _row(row, f"{_group(row)}, ratio B", f"{row['value']} %", expected, over)


def _shares() -> list[Finding]:
    """Ratio A as the signal share that it implies, against that share's mean over one dataset's stages and rates."""
    groups: dict[tuple, list[dict]] = {}
    for name in PRINTED:
        for row in rows(name, "ratio_a"):
            groups.setdefault((_group(row), row["dataset"]), []).append(row)
    found = []
    for (group, _), own in groups.items():
        implied = [implied_signal(float(row["value"]), *_where(row)) for row in own]
        mean = sum(implied) / len(implied)
        for row, share in zip(own, implied, strict=True):
            text = f"{share:.2f} % signal, from ratio A"
            found.append(_row(row, f"{group}, ratio A", text, f"{mean:.2f} %, the mean", share - mean))
    return found


def _row(row: dict[str, str], group: str, printed: str, expected: str, off: float) -> Finding:
    verdict = "as random" if abs(off) <= LARGEST else "not random"
    where = f"{place(row)}, block {row['location']}"
    return Finding("null-model", group, where, printed, expected, off, "pp", verdict, row["status"])


def _where(row: dict[str, str]) -> tuple[int, float, int]:
    """Patches of a clip, keep-rate, stage."""
    patches = patches_of(registry.dataset(row["dataset"]).frames)
    return patches, float(row["keep_rate"]), BLOCKS.index(int(row["location"]))


def _group(row: dict[str, str]) -> str:
    cls = row["backbone"] == "ast-b" or row["method"] == "topk.cls"
    return f"{row['source']} {row['exhibit']}, {row['backbone']} by {'class-token' if cls else 'global'} score"
