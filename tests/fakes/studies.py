"""A study on disk that nobody ran: cells with records, predictions, histories, traces and timings, all from seeds.

`fake_study(folder)` writes it and returns its `Results`. It has what exhibits must cope with: two backbones, folds,
a multi-label dataset whose names are hostile, methods, published models beside ours, runs that are missing.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from audioprune import records
from audioprune.exhibits import named
from audioprune.exhibits.figure_files import render_figure
from audioprune.exhibits.table_files import render_table
from audioprune.facts.dataset import Dataset
from audioprune.facts.tokens import keep_count
from audioprune.labels import label_of
from audioprune.profiling.macs import of_settings
from audioprune.reporting.content import Report, collect
from audioprune.results.study import Results, module_facts
from audioprune.settings.closed import Closed
from audioprune.settings.costs import MacsSettings, ThroughputSettings
from audioprune.settings.data import AudioSettings, FeaturesSettings
from audioprune.settings.evaluation import EvaluateSettings, TraceSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings, PretrainSettings, Recipe

HOSTILE = (
    "<script>alert('x')</script>",
    r"\input{/etc/passwd} $x^2$ & 50% #1_{a}",
    '#eval("1") [b] *bold* _it_ @ref `raw` "q" \u202eevil',
    "Müller–Straße, 日本 ~^|",
)
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DATASETS = {
    "fsdd-digits": Dataset("fsdd-digits", "keyword", DIGITS, 64),
    "fsdd-speakers": Dataset("fsdd-speakers", "speaker", tuple("abcdef"), 64),
    "esc10": Dataset("esc10", "environmental", tuple(f"sound {i}" for i in range(10)), 512, folds=5),
    "birds": Dataset("birds", "multilabel", HOSTILE, 128, metric="map", loss="bce"),
    "spc2": Dataset("spc2", "keyword", tuple(f"word {i}" for i in range(35)), 128, tau=-0.65),
}
CLIPS = {"fsdd-digits": 300, "fsdd-speakers": 60, "esc10": 80, "birds": 60, "spc2": 400}
SKILL = {1.0: 0.93, 0.7: 0.91, 0.5: 0.86}
DEVICE = "A fake CPU @ 2.00GHz x 2"
RECIPE = Recipe(epochs=6, batch_size=32, shrink_start=1, shrink_epochs=3)


@dataclass(frozen=True, eq=False)
class FakeCell:
    kind: str
    address: str
    settings: Closed
    dir: Path
    key: str
    inputs: dict[str, FakeCell] = field(default_factory=dict)
    note: str = ""

    @property
    def path(self) -> str:
        return f"{self.kind}/{self.address}/{self.key}"


class Study:
    """Writes cells below a folder; a cell with `made=False` is planned and not there."""

    def __init__(self, folder: Path):
        self.folder, self.cells = folder, []

    def cell(
        self, kind: str, address: str, settings: Closed, *, made=True, results=None, note="", files=None, **inputs
    ) -> FakeCell:
        key = f"{len(self.cells) + 1:016x}"
        cell = FakeCell(kind, address, settings, self.folder / kind / address / key, key, inputs, note)
        self.cells.append(cell)
        if made:
            cell.dir.mkdir(parents=True)
            for write in files or ():
                write(cell.dir)
            record = {
                "kind": kind, "address": address, "key": key, "settings": settings.model_dump(mode="json"),
                "inputs": {name: c.key for name, c in inputs.items()}, "results": results or {},
                "made": {
                    "versions": {"python": "3.11.9", "torch": "2.13.0", "numpy": "2.2.1"}, "device": DEVICE,
                    "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
                    "started": "2026-01-02T03:04:05Z", "wall_s": 1.5 * len(self.cells), "peak_memory_mib": 812.5,
                },
                "files": records.listing(cell.dir),
            }  # fmt: skip
            records.write_json(cell.dir / records.RECORD, record)
        return cell


_folders: list[tempfile.TemporaryDirectory] = []  # kept until the tests end


@cache
def shared() -> Results:
    """One fake study for all tests that only read."""
    _folders.append(tempfile.TemporaryDirectory())
    return fake_study(Path(_folders[-1].name))


RENDER = {"table": render_table, "figure": render_figure}
ABOUT = {"title": HOSTILE[2], "tier": "real miniature", "notes": HOSTILE}


def exhibits() -> list[tuple[str, str]]:
    """(kind, name) of every table and figure."""
    return [(kind, name) for kind in ("table", "figure") for name in named.names(kind)]


def collected(results: Results, shown=None, **about) -> Report:
    """A report of exhibits (all, if not told which) that are drawn for it in a folder of their own."""
    shown = exhibits() if shown is None else shown
    return collect(results, draw(results, shown), **about)


def draw(results: Results, shown) -> dict[str, tuple[named.Exhibit, Path]]:
    """{"table/table1": (what it is, folder of its files)} of the exhibits, drawn each in a folder of its own."""
    _folders.append(tempfile.TemporaryDirectory())
    found = {}
    for kind, name in shown:
        exhibit, folder = named.get(kind, name), Path(_folders[-1].name) / kind / name
        RENDER[kind](exhibit, results, folder / name)
        found[f"{kind}/{name}"] = (exhibit, folder)
    return found


@cache
def drawn() -> dict[str, tuple[named.Exhibit, Path]]:
    """All exhibits of the shared study."""
    return draw(shared(), exhibits())


@cache
def shared_report() -> Report:
    return collect(shared(), drawn(), **ABOUT)


@cache
def report_again() -> Report:
    """The same study written and collected once more; that exhibits are the same bytes, test_exhibits shows."""
    _folders.append(tempfile.TemporaryDirectory())
    return collect(fake_study(Path(_folders[-1].name)), drawn(), **ABOUT)


def fake_study(folder: Path, name: str = "mini") -> Results:
    study = Study(folder)
    pretrained = {
        backbone: study.cell(
            "pretrain",
            f"{backbone}/corpus",
            PretrainSettings(model=Model(backbone=backbone), objective="mae", recipe=RECIPE),
        )
        for backbone in ("audiomae-tiny", "ast-tiny")
    }
    for dataset in ("fsdd-digits", "esc10", "birds"):
        audio, features = _data(study, dataset)
        for backbone, checkpoint in pretrained.items():
            inputs = {"audio": audio, "features": features, "checkpoint": checkpoint}
            for fold in (1, 2) if dataset == "esc10" else (1,):
                for rate in SKILL:
                    _run(study, backbone, dataset, Pruning(method="topk", keep_rate=rate), fold, inputs)
            if dataset == "fsdd-digits":
                _run(study, backbone, dataset, Pruning(method="random", keep_rate=0.5), 1, inputs)
            _costs(study, backbone, dataset)
    audio, features = _data(study, "spc2")
    inputs = {"audio": audio, "features": features}
    for rate, made in ((1.0, True), (0.7, True), (0.5, False)):
        _run(
            study, "audiomae-b", "spc2", Pruning(method="topk", keep_rate=rate), 1, inputs, made=made, tests=rate == 0.7
        )
    _costs(study, "audiomae-b", "spc2")
    return Results(name, study.cells, facts)


def facts(name: str) -> Dataset:
    return DATASETS.get(name) or module_facts(name)


def _data(study: Study, dataset: str) -> tuple[FakeCell, FakeCell]:
    facts, clips = DATASETS[dataset], min(CLIPS[dataset], 12)

    def store(out: Path) -> None:
        extents = ["[[0.1, 0.5, 500, 2000]]"] * clips if dataset == "esc10" else ["[]"] * clips
        store_of(facts, clips, extents=extents).to_parquet(out / "clips.parquet")
        np.save(out / "waveforms.npy", tones(clips))
        bad = [("bad <b>clip</b>.wav", "cannot be decoded"), ("quiet.wav", "silent")] if dataset == "birds" else []
        pd.DataFrame(bad, columns=["clip", "reason"]).to_csv(out / "set_aside.csv", index=False)

    def fbank(out: Path) -> None:
        np.save(out / "fbank.npy", spectrograms(clips, facts.frames))
        np.save(out / "frames.npy", np.full(clips, min(facts.frames, 98), dtype=np.int32))
        (out / "stats.json").write_text(json.dumps({"mean": -5.0, "std": 4.0}))

    aside = {"cannot be decoded": 1, "silent": 1} if dataset == "birds" else {}
    stored = {
        "clips": CLIPS[dataset],
        "hours": 0.25,
        "set_aside": aside,
        "treated": {"resampled": 30, "low_rate": 0, "mixed_down": 0, "scaled": 0, "clipped": 1, "no_frame": 0},
        "splits": {"train": 200, "test": 100},
        "folds": {},
    }
    measured = {"frames": facts.frames, "padded_share": 0.125, "padded_clips": 9, "cut_share": 0.25, "cut_clips": 20}
    measured |= {"measured_mean": -5.0, "measured_std": 4.0}
    audio = study.cell("audio", dataset, AudioSettings(dataset=dataset), files=[store], results=stored)
    settings = FeaturesSettings(dataset=dataset, frames=facts.frames)
    return audio, study.cell("features", dataset, settings, files=[fbank], results=measured, audio=audio)


def store_of(facts: Dataset, clips: int, **columns) -> pd.DataFrame:
    """clips.parquet of a store with clips of 1 s: two thirds for training, or folds in turn; columns may be given."""
    number = np.arange(clips)
    folded = facts.folds > 1
    table = {
        "clip": [f"clip{i}" for i in number],
        "offset": number * 16000,
        "length": np.full(clips, 16000),
        "labels": [[int(i % facts.num_classes)] for i in number] if facts.classes else [[]] * clips,
        "fold": number % facts.folds + 1 if folded else np.zeros(clips, dtype=int),
        "split": [""] * clips if folded else np.where(number % 3 < 2, "train", "test").tolist(),
        "recording": [f"clip{i}" for i in number],
        "rate": np.full(clips, 44100),
        "channels": np.ones(clips, dtype=int),
        "divisor": np.ones(clips),
        "clipped": np.zeros(clips, dtype=int),
        "transcript": [""] * clips,
        "extents": ["[]"] * clips,
    }
    return pd.DataFrame(table | columns)


def tones(clips: int) -> np.ndarray:
    """(clips * 16000,) int16: a second of a tone for each clip, one higher than the other."""
    time = np.arange(16000) / 16000
    waves = [np.sin(2 * np.pi * 220 * (1 + i) * time) for i in range(clips)]
    return np.rint(8000 * np.concatenate(waves)).astype("int16")


def spectrograms(clips: int, frames: int) -> np.ndarray:
    """(clips, frames, 128): a rising tone over a falling background, so that time and frequency can be told apart."""
    time, mel = np.arange(frames)[:, None] / frames, np.arange(128)[None] / 128
    tone = 6 * np.exp(-(((mel - 0.15 - 0.6 * time) / 0.06) ** 2))
    rng = np.random.default_rng(0)
    return np.stack(
        [-6 - 4 * mel + tone * (0.7 + 0.1 * i) + rng.normal(0, 0.4, (frames, 128)) for i in range(clips)]
    ).astype("float32")


def _run(
    study: Study, backbone: str, dataset: str, pruning: Pruning, fold: int, inputs: dict, *, made=True, tests=False
) -> None:
    settings = FinetuneSettings(
        model=Model(backbone=backbone), dataset=dataset, pruning=pruning, recipe=RECIPE, fold=fold
    )
    address = f"{backbone}/{dataset}/{label_of(pruning)}/fold{fold}-seed0"
    note = "" if made else "needs checkpoint-audiomae-b: put the file at checkpoints.audiomae-b of config.yaml"
    skill = (
        SKILL[pruning.keep_rate]
        - (0.03 if backbone == "audiomae-tiny" else 0)
        - (0.06 if pruning.method == "random" else 0)
    )
    tuned = study.cell(
        "finetune", address, settings, made=made, note=note, files=[_history(skill, pruning.keep_rate)], **inputs
    )
    upstream = {"finetune": tuned, "audio": inputs["audio"], "features": inputs["features"]}
    for selection in ("last", "best_test") if dataset == "spc2" else ("last",):
        better = 0.01 if selection == "best_test" else 0.0
        _evaluate(
            study,
            address,
            upstream,
            EvaluateSettings(pruning=pruning, selection=selection),
            skill + better,
            dataset,
            fold,
            made,
        )
    for test, worse in (("I", 0.2), ("II", 0.02), ("III", 0.1)) if tests else ():
        own = EvaluateSettings(pruning=pruning, perturbation=test, tau=-0.65, kernel="eager")
        _evaluate(study, f"{address}/{test}", upstream, own, skill - worse, dataset, fold, made)
    if pruning.method == "topk" and fold == 1 and pruning.keep_rate < 1 and dataset != "spc2":
        own = TraceSettings(pruning=pruning, clips=12)
        facts = {"orientation": "freq" if backbone.startswith("ast") else "time", "freq_patches": 8}
        facts |= {"patch": 16, "stride": 16}
        facts["time_patches"] = DATASETS[dataset].frames // 16
        study.cell("trace", address, own, files=[_trace(dataset, pruning)], results=facts, **upstream)


def _evaluate(study, address, upstream, settings, skill, dataset, fold, made) -> None:
    frame = predictions(dataset, skill, seed=len(study.cells), fold=fold)
    files = [lambda out: frame.to_parquet(out / "predictions.parquet")]
    study.cell("evaluate", f"{address}/{settings.selection}", settings, made=made, files=files, **upstream)


def predictions(dataset: str, skill: float, seed: int, fold: int = 1) -> pd.DataFrame:
    """Per-clip predictions of which about `skill` are right."""
    facts, n, rng = DATASETS[dataset], CLIPS[dataset], np.random.default_rng(seed)
    scores = rng.normal(0, 1, (n, facts.num_classes)).astype("float32")
    if facts.metric == "map":
        labels = [sorted(rng.choice(facts.num_classes, rng.integers(1, 3), replace=False).tolist()) for _ in range(n)]
        for i, own in enumerate(labels):
            scores[i, own] += 3 * skill
    else:
        labels = [[i % facts.num_classes] for i in range(n)]
        right = rng.random(n) < skill
        for i, (own,) in enumerate(labels):
            scores[i, own if right[i] else (own + 1) % facts.num_classes] = 9
    names = [f"clip{i}" if fold == 1 else f"fold{fold}-clip{i}" for i in range(n)]
    recording = [f"fold{fold}-recording{i // 2}" for i in range(n)]
    return pd.DataFrame(
        {"clip": names, "recording": recording, "speaker": "", "labels": labels, "scores": list(scores)}
    )


def _history(skill: float, rate: float):
    epochs = np.arange(6)
    frame = pd.DataFrame(
        {
            "epoch": epochs, "step": (epochs + 1) * 10, "lr": 1e-3 * (1 - epochs / 6),
            "keep_rate": [1, 1, *(rate + (1 - rate) * np.array([0.75, 0.25])), rate, rate],
            "train_loss": 2.3 * np.exp(-epochs / 2) + 0.1, "test_metric": [None, 0.5, None, 0.8, None, skill],
            "val_metric": None, "clips_per_s": 200.0, "wall_s": epochs * 3.0,
        }
    )  # fmt: skip
    return lambda out: frame.to_csv(out / "history.csv", index=False)


def _trace(dataset: str, pruning: Pruning):
    frames, clips = DATASETS[dataset].frames, 12
    n = frames // 16 * 8

    def write(out: Path) -> None:
        rng = np.random.default_rng(7)
        kept, arrays = np.stack([rng.permutation(n) for _ in range(clips)]), {}
        for block in pruning.blocks:
            kept = kept[:, : keep_count(pruning.keep_rate, kept.shape[1])]
            arrays[f"kept_{block}"] = kept.astype("int16")
        np.savez(out / "trace.npz", **arrays)
        labels = [[i % DATASETS[dataset].num_classes] for i in range(clips)]
        pd.DataFrame({"clip": [f"clip{i}" for i in range(clips)], "labels": labels, "row": range(clips)}).to_parquet(
            out / "clips.parquet"
        )

    return write


def _costs(study: Study, backbone: str, dataset: str) -> None:
    facts = DATASETS[dataset]
    common = {"frames": facts.frames, "num_classes": facts.num_classes, "keep_rates": tuple(SKILL)}
    address = f"{backbone}/{facts.frames}x{facts.num_classes}/topk"
    settings = MacsSettings(model=Model(backbone=backbone, kernel="eager"), **common)
    counted = [of_settings(settings, rate).total for rate in SKILL]
    macs = pd.DataFrame({"keep_rate": list(SKILL), "closed_form": counted, "torchprofile": counted, "difference": 0})
    study.cell("macs", address, settings, files=[lambda out: macs.to_csv(out / "macs.csv", index=False)])
    for kernel, speed in (("eager", 100.0), ("fused", 140.0)):
        model = Model(backbone=backbone, kernel=kernel)
        settings = ThroughputSettings(model=model, **common, batch_size=16, warmup=3, runs=15, device=DEVICE)
        frame = throughput(speed, kernel)
        files = [lambda out, frame=frame: frame.to_csv(out / "throughput.csv", index=False)]
        study.cell("throughput", f"fake/{address}/{kernel}", settings, files=files)


def throughput(speed: float, kernel: str, runs: int = 15) -> pd.DataFrame:
    """Raw timings of batches of 16: median `speed` samples a second, faster by 1 / keep-rate."""
    spread = 1 + 0.01 * (np.arange(runs) - runs // 2)  # the middle run is the median
    rows = [(rate, kernel, run, 16 * rate / speed * spread[run]) for run in range(runs) for rate in SKILL]
    return pd.DataFrame(rows, columns=["keep_rate", "kernel", "run", "seconds"])
