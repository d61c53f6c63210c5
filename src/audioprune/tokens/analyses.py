"""The analyses of one trace as tidy columns, one row for each clip and each further key.

n clips; every function returns {column: values}, rows by clip within stages or blocks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from audioprune.tokens.attention_ratio import attention_ratio, group_of
from audioprune.tokens.held import held, membership, rectangles
from audioprune.tokens.occurrence import bin_edges, occurrence
from audioprune.tokens.pairs import count_pairs
from audioprune.tokens.retention import composition, low_intensity, retention
from audioprune.tokens.traced import Labels, Traced

Columns = dict[str, np.ndarray]


def stages(clips: np.ndarray, traced: Traced, labels: Labels) -> Columns:
    """clip, block, stage (from 1), retention of signal, kinds, low intensity and low variation (`low_std_...`)."""
    parts = []
    for stage, (block, kept) in enumerate(traced.kept.items(), start=1):
        low_std = low_intensity(labels.levels["std"], labels.padding, kept)
        parts.append(
            _keys(clips, block=block, stage=stage)
            | retention(labels.signal, traced.entering(block), kept)
            | composition(labels.signal, labels.padding, labels.cut, kept)
            | low_intensity(labels.levels["mean"], labels.padding, kept)
            | {name.replace("low", "low_std", 1): values for name, values in low_std.items()}
        )
    return _stack(parts)


def blocks(clips: np.ndarray, traced: Traced) -> Columns:
    """clip, block, entering (patches), norm: |x| / |attention branch of x|."""
    parts = [
        _keys(clips, block=block)
        | {"entering": (traced.entering(block) >= 0).sum(axis=1), "norm": traced.norms[:, block]}
        for block in traced.blocks
    ]
    return _stack(parts)


def attention(clips: np.ndarray, traced: Traced, labels: Labels) -> Columns:
    """clip, block, group (from 1), score, and sums, counts and gammas as `attention_ratio` names them."""
    parts, pruning = [], list(traced.kept)
    for block in traced.blocks:
        group = group_of(block, pruning)
        if group is None:
            continue
        entering, kept = traced.entering(block), traced.kept[pruning[group]]
        for kind, scores in traced.scores(block).items():
            ratio = attention_ratio(scores, entering, kept, labels.signal)
            parts.append(_keys(clips, block=block, group=group + 1, score=kind) | ratio)
    return _stack(parts)


def correlation(clips: np.ndarray, traced: Traced, labels: Labels, block: int) -> Columns:
    """clip, block, score, statistic (mean, std), rank (cluster, raw) and the numbers of pairs, of one block."""
    parts, entering = [], traced.entering(block)
    ranks = {(name, "cluster"): values for name, values in labels.levels.items()}
    ranks |= {(name, "raw"): values for name, values in labels.statistics.items()}
    for kind, scores in traced.scores(block).items():
        for (statistic, rank), values in ranks.items():
            for own, columns in rectangles(entering):
                patch_ids, score = (np.take_along_axis(a[own], columns, axis=1) for a in (entering, scores))
                keys = _keys(clips[own], block=block, score=kind, statistic=statistic, rank=rank)
                parts.append(keys | count_pairs(score, held(values[own], patch_ids)))
    return _stack(parts)


def histograms(traced: Traced, labels: Labels, ranges: Mapping[str, tuple[float, float]]) -> Columns:
    """mean_edges, std_edges (21,), input (20, 20) and after_<block> (20, 20): tokens by mean and std, all clips.

    Padding has one mean and no deviation, so that it says nothing of where tokens lie and would outshine all others:
    it is counted apart, in padding_input and padding_after_<block> (); tokens_... are all tokens of the same.
    # DIFFERS: the released figure counts padding among them.
    ranges: least and largest mean and std of the whole evaluation set, so that pictures can be laid side by side.
    """
    edges = bin_edges(ranges["mean"], ranges["std"])
    mean, std = labels.statistics["mean"], labels.statistics["std"]
    found = {"mean_edges": edges[0], "std_edges": edges[1]}
    panels = {f"after_{block}": membership(kept, traced.patches) for block, kept in traced.kept.items()}
    for name, there in ({"input": np.ones_like(labels.padding)} | panels).items():
        found[name] = occurrence(mean, std, edges, there & ~labels.padding)
        found[f"padding_{name}"], found[f"tokens_{name}"] = (there & labels.padding).sum(), there.sum()
    return found


def _keys(clips: np.ndarray, **constant: int | str) -> Columns:
    return {"clip": clips} | {name: np.full(len(clips), value) for name, value in constant.items()}


def _stack(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
