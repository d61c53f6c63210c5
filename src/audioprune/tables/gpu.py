"""What benchmarks/gpu_check.py measured on GPUs: report/measured/<device>/*.csv. The same in every study."""

from __future__ import annotations

import csv
from pathlib import Path

from audioprune.exhibits.table import Cell, Column, Row, Table

TITLE = "Checks and speed on GPUs"
CAPTION = (
    "For each device that was measured: the checks of every part with their verdicts, then clips a second (median and "
    "quartiles), the ratio to the unpruned model timed beside it, that ratio over the ratio of MACs, the share of what "
    "a large matrix product reaches on the same card in the same precision, and the memory allocated at most."
)
STANDALONE = True  # shows no cells: every study has it
FOLDER = Path(__file__).resolve().parents[3] / "report" / "measured"
FILES = (("report/measured", "*/*.csv"),)  # that its key depends on
NOT_RUN = (
    "Nothing was measured on a GPU yet: benchmarks/README.md says how, and its result files belong into "
    "report/measured/<device>."
)


def needs(study: object) -> list:
    """No cells: files alone."""
    return []


def build(results: object) -> Table:
    rows: list[Row] = []
    notes: list[str] = []
    for folder in _devices():
        checks, speeds = (_read(folder / f"{name}.csv") for name in ("checks", "speed"))
        title = speeds[0]["device"] if speeds else folder.name
        rows += [Row(cells, f"{title}: checks") for cells in _parts(checks)]
        rows += [Row(_speed(one), f"{title}: speed") for one in speeds]
        notes += [f"{title}: {one['part']}, {one['name']}: FAILED. {one['note']}" for one in _failed(checks)]
    if not rows:
        return Table(_columns(), (Row({"what": "not run on a GPU"}),), (NOT_RUN,))
    return Table(_columns(), tuple(rows), tuple(notes))


def _devices() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*") if any(path.glob("*.csv")))


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _failed(checks: list[dict[str, str]]) -> list[dict[str, str]]:
    return [one for one in checks if one["verdict"] == "FAILED"]


def _parts(checks: list[dict[str, str]]) -> list[dict]:
    """One row for each part: how many of its checks got which verdict."""
    found: dict[str, list[str]] = {}
    for one in checks:
        found.setdefault(one["part"], []).append(one["verdict"])
    return [
        {
            "what": part,
            "ok": verdicts.count("ok"),
            "failed": verdicts.count("FAILED"),
            "not_run": verdicts.count("needs CUDA") + verdicts.count("timed out"),
        }
        for part, verdicts in found.items()
    ]


def _speed(one: dict[str, str]) -> dict:
    rate, low, high = (float(one[f"samples_per_s{name}"]) for name in ("", "_low", "_high"))
    return {
        "what": f"{one['backbone']}, {one['tokens']} tokens",
        "kernel": one["kernel"],
        "precision": one["precision"],
        "keep_rate": float(one["keep_rate"]),
        "samples_per_s": Cell(rate, low, high),
        "speed_up": float(one["speed_up"]),
        "over": float(one["speed_up_over_mac_ratio"]),
        "share": float(one["share_of_peak"]),
        "memory": float(one["peak_memory_mib"]) if one["peak_memory_mib"] else None,
    }


def _columns() -> tuple[Column, ...]:
    return (
        Column("what", "What", align="left"),
        Column("ok", "ok", decimals=0),
        Column("failed", "Failed", decimals=0),
        Column("not_run", "Not run", decimals=0),
        Column("kernel", "Kernel", align="left"),
        Column("precision", "Precision", align="left"),
        Column("keep_rate", "Keep-rate", decimals=1),
        Column("samples_per_s", "Clips/s", decimals=1),
        Column("samples_per_s", "quartiles", decimals=1, part="interval"),
        Column("speed_up", "Speed-up", "×"),
        Column("over", "over MACs"),
        Column("share", "of the peak", "%", 0, scale=100),
        Column("memory", "Memory", "MiB", 0),
    )
