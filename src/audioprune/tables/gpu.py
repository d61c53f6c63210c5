"""What benchmarks/gpu_check.py measured on GPUs: report/measured/<device>/*.csv. The same in every study."""

from __future__ import annotations

import csv
from pathlib import Path

from audioprune.exhibits.table import Cell, Column, Row, Table

TITLE = "Checks and speed on GPUs"
CAPTION = (
    "For each device that was measured: the checks of every part with their verdicts, then the speed of whole models: "
    "clips per second without pruning (median and quartiles); the speed-up of each keep-rate over the unpruned model "
    "timed beside it, with the ratio of MACs; arithmetic speed as a share of that of a large matrix product on the "
    "same card in the same precision; the share of the time in which the processor starts the kernels of the most "
    "pruned pass (near 100 %: the processor is what was timed); and the most memory allocated."
)
STANDALONE = True  # shows no cells: every study has it
FOLDER = Path(__file__).resolve().parents[3] / "report" / "measured"
FILES = (("report/measured", "*/*.csv"),)  # that its key depends on
GRAPH = "Kernel graph: the fused pass, replayed as a CUDA graph."
NOT_RUN = (
    "Nothing has been measured on a GPU yet: see benchmarks/README.md; its result files belong in "
    "report/measured/<device>."
)


def needs(study: object) -> list:
    """No cells: files alone."""
    return []


def build(results: object) -> Table:
    rows: list[Row] = []
    notes: list[str] = []
    rates: set[float] = set()
    for folder in _devices():
        checks, speeds = (_read(folder / f"{name}.csv") for name in ("checks", "speed"))
        title = speeds[0]["device"] if speeds else folder.name
        rows += [Row(cells, f"{title}: checks") for cells in _parts(checks)]
        rows += [Row(_speed(one), f"{title}: speed") for one in _settings(speeds)]
        rates |= {float(one["keep_rate"]) for one in speeds}
        notes += [f"{title}: {_timing(speeds)}"] if speeds else []
        notes += [GRAPH] if any(one["kernel"] == "graph" for one in speeds) and GRAPH not in notes else []
        notes += [f"{title}: {one['part']}, {one['name']}: FAILED. {one['note']}" for one in _failed(checks)]
    if not rows:
        return Table(_columns(rates), (Row({"what": "not run on a GPU"}),), (NOT_RUN,))
    return Table(_columns(rates), tuple(rows), tuple(notes))


def _devices() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*") if any(path.glob("*.csv")))


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _timing(speeds: list[dict[str, str]]) -> str:
    runs = " or ".join(dict.fromkeys(one["runs"] for one in speeds))
    return (
        f"medians of {runs} runs of every keep-rate in turn, after warm-up passes. A speed-up holds for the kernel, "
        "precision and batch of its row."
    )


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


def _settings(speeds: list[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Rows that differ in the keep-rate only, the unpruned one first."""
    found: dict[tuple, list[dict[str, str]]] = {}
    for one in speeds:
        names = ("backbone", "tokens", "kernel", "precision", "batch_size")
        found.setdefault(tuple(one[name] for name in names), []).append(one)
    return [sorted(one, key=lambda row: -float(row["keep_rate"])) for one in found.values()]


def _speed(rows: list[dict[str, str]]) -> dict:
    whole, most = rows[0], rows[-1]  # unpruned, and most pruned
    low, middle, high = (float(whole[f"samples_per_s{name}"]) for name in ("_low", "", "_high"))
    cells: dict = {
        "what": f"{whole['backbone']}, {whole['tokens']} tokens",
        "kernel": whole["kernel"],
        "precision": whole["precision"],
        "batch": int(whole["batch_size"]),
        "samples_per_s": Cell(middle, low, high),
        "share": 100 * float(whole["share_of_peak"]),
        "share_pruned": 100 * float(most["share_of_peak"]),
        "launch": 100 * float(most["launch_share"]) if most["launch_share"] else None,
        "memory": float(whole["peak_memory_mib"]) if whole["peak_memory_mib"] else None,
    }
    for row in rows[1:]:
        rate = float(row["keep_rate"])
        cells |= {f"speed_up_{rate:g}": float(row["speed_up"]), f"mac_ratio_{rate:g}": float(row["mac_ratio"])}
    return cells


def _columns(rates: set[float]) -> tuple[Column, ...]:
    pruned = sorted(rates - {1.0}, reverse=True)
    return (
        Column("what", "What", align="left"),
        Column("ok", "ok", decimals=0),
        Column("failed", "Failed", decimals=0),
        Column("not_run", "Not run", decimals=0),
        Column("kernel", "Kernel", align="left"),
        Column("precision", "Precision", align="left"),
        Column("batch", "Batch", decimals=0),
        Column("samples_per_s", "Unpruned", "clips/s", 0),
        Column("samples_per_s", "quartiles", "clips/s", 0, part="interval"),
        *(
            column
            for rate in pruned
            for column in (
                Column(f"speed_up_{rate:g}", f"Speed-up at {rate:g}", "×"),
                Column(f"mac_ratio_{rate:g}", "MACs", "×"),
            )
        ),
        Column("share", "Share of peak", "%", 0),
        Column("share_pruned", "Share, pruned", "%", 0),
        Column("launch", "Starting kernels", "%", 0),
        Column("memory", "Memory", "MiB", 0),
    )
