"""Analyses of a trace: retention, attention ratios, rank correlations, norms and occurrence, clip by clip."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from audioprune import records
from audioprune.audio.features import FeatureStore
from audioprune.audio.patches import token_order
from audioprune.audio.store import WaveformStore
from audioprune.audio.truth import signal_patches
from audioprune.errors import UserError
from audioprune.progress import track
from audioprune.settings.evaluation import TokensSettings
from audioprune.steps._run import Job, main
from audioprune.tokens import analyses
from audioprune.tokens.audit import audit
from audioprune.tokens.kinds import cut, padding, shares
from audioprune.tokens.kmeans import label
from audioprune.tokens.label_map import label_index, relabel
from audioprune.tokens.patch_statistics import patch_statistics
from audioprune.tokens.threshold import signal
from audioprune.tokens.traced import Labels, Traced

STAGES = ("clip", "block", "stage")  # columns of an unpruned model's empty table


def tokens(job: Job[TokensSettings]) -> dict:
    settings, facts = job.settings, records.read(job.inputs["trace"])["results"]
    clusters = records.read(job.inputs["clusters"])["results"]
    clips = pd.read_parquet(job.inputs["trace"] / "clips.parquet")
    rows, names = clips["row"].to_numpy(), clips["clip"].to_numpy(dtype=object)
    features = FeatureStore.open(job.inputs["features"])
    where = {"orientation": facts["orientation"], "time": facts["time_patches"], "freq": facts["freq_patches"]}
    stats = patch_statistics(
        rows, features.fbank, orientation=where["orientation"], patch=facts["patch"], stride=facts["stride"]
    )
    own_padding = padding(features.frames[rows], **where, stride=facts["stride"])
    own_cut = cut(features.frames[rows], **where, patch=facts["patch"], stride=facts["stride"])
    own_signal = _signal(job, facts, clusters["tau"], rows, stats.mean) & ~own_padding
    index = label_index(settings.label_map, rows, **where, seed=settings.shuffle_seed)
    values = {name: relabel(own, index) for name, own in stats._asdict().items()}
    levels = {name: label(own, clusters["edges"][name]) for name, own in values.items()}
    labels = Labels(values, levels, *(relabel(own, index) for own in (own_signal, own_padding, own_cut)))

    with np.load(job.inputs["trace"] / "trace.npz") as arrays:
        traced = Traced(arrays, where["time"] * where["freq"])
        low = {"low_input": (levels["mean"] <= 1).sum(axis=1), "low_std_input": (levels["std"] <= 1).sum(axis=1)}
        kinds = {"signal_input": labels.signal.sum(axis=1), "padding_input": labels.padding.sum(axis=1)}
        known = {"patches": traced.patches, **kinds, **low}
        _write(job, "clips", clips[["clip", "recording", "row"]].assign(**known))
        _write(job, "stages", analyses.stages(names, traced, labels) or {name: [] for name in STAGES})
        _write(job, "blocks", analyses.blocks(names, traced))
        if traced.kept:
            _write(job, "attention", analyses.attention(names, traced, labels))
        blocks = track(traced.blocks, f"tokens/{job.address}", len(traced.blocks), "blocks")
        pairs = [pd.DataFrame(analyses.correlation(names, traced, labels, block)) for block in blocks]
        _write(job, "correlation", pd.concat(pairs, ignore_index=True))
        ranges: dict[str, Iterable[float]] = {name: (edges[0], edges[-1]) for name, edges in clusters["edges"].items()}
        with records.atomic(job.out / "occurrence.npz") as path:
            np.savez_compressed(path, **analyses.histograms(traced, labels, ranges))  # type: ignore[arg-type]
        if traced.kept and settings.label_map == "right":
            kept = {facts["keep_rate"]: traced.kept}
            _write(job, "audit", audit(stats.mean, own_signal, rows, kept, **where, seed=settings.shuffle_seed))
    return {
        "clips": len(clips),
        "patches": traced.patches,
        "pruning_blocks": list(traced.kept),
        "keep_rate": facts["keep_rate"],
        "score": facts["score"],
        "tau": clusters["tau"].get(settings.tau),
        "shares": shares(labels.signal, labels.padding),
        "low_share": {name: float((own <= 1).mean()) for name, own in levels.items()},
    }


def _signal(job: Job[TokensSettings], facts: dict, taus: dict, rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Which patches are signal, in the model's order: (n, P) bool."""
    kind = job.settings.tau
    if kind != "truth":
        if kind not in taus:
            raise UserError(f"{job.address}: its dataset gives no tau; use tau: auto")
        return signal(mean, taus[kind])
    extents = WaveformStore.open(job.inputs["audio"]).clips["extents"].to_numpy()[rows]
    if not any(map(json.loads, extents)):
        raise UserError(f"{job.address}: nothing is known of where its clips hold signal; use tau: auto")
    order = token_order(facts["orientation"], facts["time_patches"], facts["freq_patches"]).numpy()
    patch, stride = facts["patch"], facts["stride"]
    frames = (facts["time_patches"] - 1) * stride + patch
    grids = np.stack([signal_patches(json.loads(text), frames, patch, stride) for text in extents])  # (n, time, freq)
    return grids[:, order[:, 0], order[:, 1]]


def _write(job: Job[TokensSettings], name: str, rows: Mapping[str, object] | pd.DataFrame) -> None:
    with records.atomic(job.out / f"{name}.parquet") as path:
        pd.DataFrame(rows).to_parquet(path, index=False)


if __name__ == "__main__":
    main(tokens)
