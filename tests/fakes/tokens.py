"""A study of token analyses that nobody ran: every kind of data, both models, both scores, rows by the real functions.

Scores follow the patch mean, more so in deeper blocks; every clip is one of two of its recording. What is expected of
tables and figures can be computed again from the arrays that `traced` gives.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from audioprune.facts.tokens import keep_count
from audioprune.labels import label_of
from audioprune.results.study import Results
from audioprune.settings.evaluation import ClustersSettings, EvaluateSettings, TokensSettings, TraceSettings
from audioprune.settings.model import Model, Pruning
from audioprune.settings.training import FinetuneSettings
from audioprune.tokens import analyses
from audioprune.tokens.audit import audit
from audioprune.tokens.kmeans import Clusters, kmeans, label
from audioprune.tokens.traced import Labels, Traced
from tests.fakes.studies import DATASETS, RECIPE, SKILL, FakeCell, Study, _data, _evaluate, facts

CLIPS, BLOCKS = 16, 12
ENDS = {"esc10": 2, "fsdd-digits": 1}  # time columns of every second clip that lie behind its end
RATES = (1.0, 0.7, 0.5)
TAU = -0.4
NOT_MADE = "needs a machine with more memory"
_folders: list[tempfile.TemporaryDirectory] = []  # kept until the tests end


@cache
def token_study() -> Results:
    """One study for all tests that only read."""
    _folders.append(tempfile.TemporaryDirectory())
    study = Study(Path(_folders[-1].name))
    for dataset, folds in (("fsdd-digits", (1,)), ("esc10", (1, 2)), ("birds", (1,)), ("spc2", (1,))):
        inputs = dict(zip(("audio", "features"), _data(study, dataset), strict=True))
        inputs["clusters"] = _clusters(study, dataset, inputs)
        size = "b" if dataset == "spc2" else "tiny"
        for backbone in (f"audiomae-{size}", f"ast-{size}"):
            for rate in RATES:
                for fold in folds:
                    made = (dataset, rate) != ("spc2", 0.5)
                    _run(study, backbone, dataset, Pruning(method="topk", keep_rate=rate), fold, inputs, made)
        if dataset in ("esc10", "spc2"):
            by_class = Pruning(method="topk", keep_rate=0.7, options={"score": "cls"})
            _run(study, f"audiomae-{size}", dataset, by_class, 1, inputs)
    return Results("mini", study.cells, facts)


def _run(
    study: Study, backbone: str, dataset: str, pruning: Pruning, fold: int, inputs: dict[str, FakeCell], made=True
) -> None:
    """A fine-tuning with its evaluation, trace and analyses."""
    model, note = Model(backbone=backbone), "" if made else NOT_MADE
    settings = FinetuneSettings(model=model, dataset=dataset, pruning=pruning, recipe=RECIPE, fold=fold)
    address = f"{backbone}/{dataset}/{label_of(pruning)}/fold{fold}-seed0"
    upstream = {"audio": inputs["audio"], "features": inputs["features"]}
    tuned = study.cell("finetune", address, settings, made=made, note=note, **upstream)
    upstream["finetune"] = tuned
    _evaluate(
        study, address, upstream, EvaluateSettings(pruning=pruning), SKILL[pruning.keep_rate], dataset, fold, made
    )
    trace = study.cell("trace", address, TraceSettings(pruning=pruning, clips=CLIPS), made=made, note=note, **upstream)
    arrays, stats = traced(backbone, dataset, pruning, fold)
    own = TokensSettings(tau="given" if dataset == "spc2" else "auto")
    tokens = {"trace": trace, "features": inputs["features"], "clusters": inputs["clusters"]}
    files = [lambda out: _write(out, dataset, fold, arrays, stats, backbone)]
    study.cell(
        "tokens", f"{address}/signal-{own.tau}", own, made=made, note=note, files=files, results={"tau": TAU}, **tokens
    )


def patches(dataset: str) -> tuple[int, int]:
    return DATASETS[dataset].frames // 16, 8


def statistics(dataset: str, fold: int, orientation: str) -> dict[str, np.ndarray]:
    """mean and std of every patch, (clips, P), loud in the middle bands; in the model's order."""
    time, freq = patches(dataset)
    rng = np.random.default_rng([fold, time])
    band = -0.8 + 1.2 * np.exp(-(((np.arange(freq) - 3) / 2) ** 2))
    mean = (band + rng.normal(0, 0.35, (CLIPS, time, freq))).astype("float32")
    std = (0.2 + 0.15 * np.abs(mean) + rng.uniform(0, 0.2, mean.shape)).astype("float32")
    mean[0] = -0.9  # a clip without any signal
    end = time - ENDS.get(dataset, 0)
    mean[1::2, end:], std[1::2, end:] = -1.0, 0.0
    axes = (0, 1, 2) if orientation == "time" else (0, 2, 1)
    return {name: a.transpose(axes).reshape(CLIPS, -1) for name, a in (("mean", mean), ("std", std))}


def padded(dataset: str, orientation: str, cut: bool = False) -> np.ndarray:
    """Which patches are padding, (clips, P), in the model's order: the last columns of every second clip.

    cut: instead the column before them, which the clip's end cuts through.
    """
    (time, freq), ends = patches(dataset), ENDS.get(dataset, 0)
    found = np.zeros((CLIPS, time, freq), dtype=bool)
    found[1::2, slice(time - ends - 1, time - ends) if cut and ends else slice(time - ends * (not cut), time)] = True
    return found.transpose((0, 1, 2) if orientation == "time" else (0, 2, 1)).reshape(CLIPS, -1)


@cache
def levels(dataset: str) -> dict[str, Clusters]:
    folds = [statistics(dataset, fold, "time") for fold in (1, 2)]
    return {name: kmeans(np.stack([own[name] for own in folds])) for name in ("mean", "std")}


@cache
def _traced(backbone: str, dataset: str, keep_rate: float, score: str, pruned: bool, fold: int):
    orientation = "freq" if backbone.startswith("ast") else "time"
    stats = statistics(dataset, fold, orientation)
    n = stats["mean"].shape[1]
    rng = np.random.default_rng([fold, n, int(100 * keep_rate), backbone.startswith("ast")])
    entering, arrays = np.tile(np.arange(n), (CLIPS, 1)), {}
    for block in range(BLOCKS):
        arrays[f"entering_{block}"] = entering.astype("int16")
        mean = np.take_along_axis(stats["mean"], entering, axis=1)
        for kind, weight in (("global", 0.15 if backbone.startswith("ast") else 0.08), ("cls", 0.12)):
            scores = np.exp(weight * block * mean + rng.normal(0, 0.6, mean.shape))
            arrays[f"score_{kind}_{block}"] = (scores / scores.sum(axis=1, keepdims=True)).astype("float32")
        if pruned and block in (3, 6, 9):
            k = keep_count(keep_rate, entering.shape[1])
            rank = np.argsort(-arrays[f"score_{score}_{block}"], axis=1, kind="stable")[:, :k]
            entering = np.take_along_axis(entering, rank, axis=1)
            arrays[f"kept_{block}"] = entering.astype("int16")
    falling = 6 * np.exp(-np.arange(BLOCKS) / 5) * (0.6 + 0.4 * keep_rate)
    arrays["norms"] = (falling + rng.uniform(0, 0.5, (CLIPS, BLOCKS))).astype("float32")
    return arrays, stats


def traced(backbone: str, dataset: str, pruning: Pruning, fold: int) -> tuple[dict, dict]:
    """What a trace of this run holds, and its patches' statistics."""
    score = str(pruning.options.get("score", "cls" if backbone.startswith("ast") else "global"))
    return _traced(backbone, dataset, pruning.keep_rate, score, pruning.method != "none", fold)


def clips(fold: int) -> tuple[np.ndarray, list[str]]:
    names = np.array([f"fold{fold}-clip{i:02d}" for i in range(CLIPS)], dtype=object)
    return names, [f"fold{fold}-recording{i // 2}" for i in range(CLIPS)]


def _write(out: Path, dataset: str, fold: int, arrays: dict, stats: dict, backbone: str) -> None:
    time, freq = patches(dataset)
    names, recordings = clips(fold)
    own = Traced(arrays, time * freq)
    groups = {name: label(values, levels(dataset)[name].edges) for name, values in stats.items()}
    orientation = "freq" if backbone.startswith("ast") else "time"
    behind, cut = padded(dataset, orientation), padded(dataset, orientation, cut=True)
    labels = Labels(stats, groups, stats["mean"] > TAU, behind, cut)
    rows = np.arange(CLIPS)
    known = {"patches": own.patches, "signal_input": labels.signal.sum(axis=1), "padding_input": behind.sum(axis=1)}
    tables = {
        "clips": {"clip": names, "recording": recordings, "row": rows, **known},
        "stages": analyses.stages(names, own, labels) or {name: [] for name in ("clip", "block", "stage")},
        "blocks": analyses.blocks(names, own),
        "correlation": pd.concat(
            [pd.DataFrame(analyses.correlation(names, own, labels, block)) for block in own.blocks], ignore_index=True
        ),
    }
    if own.kept:
        tables["attention"] = analyses.attention(names, own, labels)
        where = {"orientation": "freq" if backbone.startswith("ast") else "time", "time": time, "freq": freq}
        tables["audit"] = audit(stats["mean"], labels.signal, rows, {0.5: own.kept}, **where)
    for name, table in tables.items():
        pd.DataFrame(table).to_parquet(out / f"{name}.parquet", index=False)
    ranges = {name: (c.edges[0], c.edges[-1]) for name, c in levels(dataset).items()}
    np.savez_compressed(out / "occurrence.npz", **analyses.histograms(own, labels, ranges))


def _clusters(study: Study, dataset: str, inputs: dict[str, FakeCell]) -> FakeCell:
    given = DATASETS[dataset].tau
    taus = {"auto": TAU} | ({} if given is None else {"given": given})
    settings = ClustersSettings(dataset=dataset, tau=given)

    def write(out: Path) -> None:
        rows = []
        behind = 2 * int(padded(dataset, "time").sum())  # of both folds, all of the lowest cluster
        for name, own in levels(dataset).items():
            columns = zip(own.edges, own.edges[1:], own.centres, own.counts, own.shares, own.truncated, strict=False)
            for i, (lower, upper, centre, count, share, percent) in enumerate(columns, start=1):
                edge = {"statistic": name, "cluster": f"C{i}", "lower": lower, "upper": upper, "centre": centre}
                edge |= {"patches": count, "share": share, "percent": percent}
                rows.append(edge | {"padding": behind if i == 1 else 0})
        pd.DataFrame(rows).to_csv(out / "clusters.csv", index=False)
        edges = np.linspace(-1.5, 2.0, 101)
        pixels = np.round(1000 * np.exp(-(((edges[:-1] + 0.2) / 0.6) ** 2)) + 200 * (edges[:-1] < -1.3)).astype(int)
        pd.DataFrame({"low": edges[:-1], "high": edges[1:], "pixels": pixels}).to_csv(out / "pixels.csv", index=False)
        shares = [
            {"tau": name, "value": tau, "clips": over, "n": n, "unit": unit, "share": share}
            for name, tau in taus.items()
            for over, n, shift in (("sample", 10, 0.0), ("all", 2 * CLIPS, 0.01))
            for unit, share in (
                ("pixels", 0.62 + shift),
                ("patches", 0.66 + shift),
                ("background", 0.24 - shift),
                ("padding", 0.1),
            )
        ]
        pd.DataFrame(shares).to_csv(out / "signal.csv", index=False)

    results = {"clips": 2 * CLIPS, "sampled_clips": 10, "tau": taus}
    return study.cell("clusters", dataset, settings, files=[write], results=results, **inputs)
