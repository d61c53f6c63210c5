"""Clips in one row of tokens against each clip alone: who is kept and what is predicted; and speed beside buckets.

In float32 attention is taken clip by clip, which checks everything but the kernel, on any device; in bf16 it is the
kernel's. Two bf16 passes that round in another order part: with these weights one is 1 % of the largest logit away from
float32, and its scores within 1 % of theirs, which spread by 15 to 25 %. So two may be 2 % apart; the limits are twice
that for logits, and those 2 % for the distance between the cut and the score of a patch that one of them alone keeps.
At later blocks the difference of those patches adds up, so the share of equal ones has the limit of `parity`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from audioprune.cells import provenance
from audioprune.facts.mel import MEL_BINS
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.models.build import build_model, make_pruner
from audioprune.models.family import Classifier
from audioprune.models.native import any_length
from audioprune.models.packed import Attend, Packed, Row, kernel_of
from audioprune.models.pruner import Pruning
from audioprune.models.trace import Trace, trace
from audioprune.profiling.rounds import arithmetic
from audioprune.settings.costs import PaceSettings
from benchmarks._parts import made
from benchmarks._parts.given import Given
from benchmarks._parts.lengths import timings
from benchmarks._parts.rows import Rows

COLUMNS = {False: (3, 32, 7, 20, 3, 12, 30, 9), True: (3, 8, 5)}  # of each clip, by `quick`; a model has the most
EXACT = 1e-4  # float32 logits, of the largest: twelve blocks of sums in another order
CLOSE = 0.04  # bf16 logits, of the largest
NEAR = 0.02  # distance of a score from the cut, of the cut
KEPT = {"fp32": 0.99, "bf16": 0.8}  # share of equal kept patches where attention ranks: two sums may change places
CASES = (
    ("none", {}, BLOCKS),
    ("intensity", {}, BLOCKS),
    ("topk", {"score": "cls"}, BLOCKS[:1]),
    ("topk", {"score": "cls"}, BLOCKS),
)
POLICIES = {"ast": "topk", "audiomae": "intensity"}  # in a row AudioMAE cannot rank as it does alone, by all queries


@dataclass(frozen=True)
class Clips:
    x: Tensor  # normalised log-mel (B, 16 max C, 128), each clip padded with its minimum
    columns: tuple[int, ...]  # C of each


def run(given: Given, rows: Rows) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    size = "b" if device.type == "cuda" and not given.quick else "tiny"
    clips = noise(COLUMNS[given.quick], device)
    for family in POLICIES:
        backbone = f"{family}-{size}"
        with rows.guarded(backbone):
            model = classifier(backbone, clips.x.shape[1], device)
            for method, options, blocks in CASES:
                prune(model, method, options, blocks)
                where = "" if method == "none" else f" at blocks {', '.join(map(str, blocks))}"
                check(rows, f"{backbone}, {method}{where}", model, clips, device)
    for family, policy in POLICIES.items():
        with rows.guarded(f"{family}-{size}: speed"):
            speed(given, rows, f"{family}-{size}", policy, device)


def noise(columns: tuple[int, ...], device: torch.device) -> Clips:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(len(columns), PATCH * max(columns), MEL_BINS, generator=generator)
    for clip, own in zip(x, columns, strict=True):
        clip[PATCH * own :] = clip[: PATCH * own].min()
    return Clips(x.to(device), columns)


def classifier(backbone: str, frames: int, device: torch.device) -> Classifier:
    """With random weights."""
    return any_length(build_model(backbone, frames=frames, num_classes=50).to(device).eval())


def prune(model: Classifier, method: str, options: dict, blocks: tuple[int, ...]) -> None:
    model.pruning = Pruning(make_pruner(method, model.tokens, options), blocks=blocks, keep_rate=0.5)


@torch.inference_mode()
def check(rows: Rows, what: str, model: Classifier, clips: Clips, device: torch.device) -> None:
    against(rows, f"{what}, fp32", model, clips, by_clip, "fp32", device)
    if device.type == "cuda":
        against(rows, f"{what}, bf16", model, clips, kernel_of(device, "bf16"), "bf16", device)
    else:
        rows.needs_cuda(f"{what}, bf16: packed equals single")


def against(
    rows: Rows, what: str, model: Classifier, clips: Clips, attend: Attend, precision: str, device: torch.device
) -> None:
    """Packed against single in one precision."""
    with arithmetic("fp32", device):
        exact = alone(model, clips)
    with arithmetic(precision, device):
        single = exact if precision == "fp32" else alone(model, clips)
        compare(rows, what, model, clips, attend, single, None if precision == "fp32" else exact)


def alone(model: Classifier, clips: Clips) -> list[Trace]:
    """Every clip by itself, as long as it is."""
    return [trace(model, clip[None, : PATCH * own]) for clip, own in zip(clips.x, clips.columns, strict=True)]


def compare(
    rows: Rows,
    what: str,
    model: Classifier,
    clips: Clips,
    attend: Attend,
    single: list[Trace],
    exact: list[Trace] | None,
) -> None:
    """Packed against `single`. exact: of bf16, single in float32, whose scores say how near a patch was to the cut."""
    packed = Packed(model, attend)
    _, survivors, row = packed.encode(clips.x, clips.columns)
    same = torch.ones(len(single), dtype=torch.bool)
    if pruner := model.pruning.pruner:
        last = max(single[0].kept)
        whose = zip(survivors.patch_ids, row.lengths, strict=True)
        ours = [set(ids[survivors.prefix : n].tolist()) for ids, n in whose]
        theirs = [set(one.kept[last][0].tolist()) for one in single]
        same = torch.tensor([own == other for own, other in zip(ours, theirs, strict=True)])
        share = sum(len(own & other) for own, other in zip(ours, theirs, strict=True)) / sum(map(len, theirs))
        limit = 1.0 if not pruner.attention else KEPT["bf16" if exact else "fp32"]
        rows.add(f"{what}: kept", share, "share of equal", at_least=limit)
        if exact and pruner.attention and len(exact[0].kept) == 1:
            far = max(distance(own ^ other, one, last) for own, other, one in zip(ours, theirs, exact, strict=True))
            rows.add(f"{what}: kept by one of them alone", far, "distance from the cut, of the cut", at_most=NEAR)
    wanted = torch.cat([one.logits for one in single]).float()
    off = (packed(clips.x, clips.columns) - wanted).abs().amax(1).cpu()[same]
    if len(off):
        note = f"{len(off)} of {len(single)} clips: those of which the same patches are kept"
        share = off.max().item() / wanted.abs().max().item()
        rows.add(f"{what}: logits", share, "of the largest", at_most=CLOSE if exact else EXACT, note=note)


def distance(patches: set[int], one: Trace, block: int) -> float:
    """Largest distance of these patches' scores from the lowest score that was kept, as a share of it."""
    scores = dict(zip(one.entering[block][0].tolist(), one.scores["cls"][block][0].tolist(), strict=True))
    cut = min(scores[patch] for patch in one.kept[block][0].tolist())
    return max((abs(scores[patch] - cut) / cut for patch in patches), default=0.0)


def by_clip(q: Tensor, k: Tensor, v: Tensor, row: Row) -> Tensor:
    """Attention among the tokens of each clip, one clip after another (models.packed.Attend)."""
    parts = zip(*(x.transpose(0, 1).split(row.lengths, dim=1) for x in (q, k, v)), strict=True)  # each (H, n, d)
    return torch.cat([F.scaled_dot_product_attention(*(x[None] for x in part))[0] for part in parts], 1).transpose(0, 1)


def speed(given: Given, rows: Rows, backbone: str, policy: str, device: torch.device) -> None:
    """Clips a second of made clips whose lengths spread evenly up to the model's."""
    cuda, frames = device.type == "cuda", 128 if given.quick else 512
    count = 4 if given.quick else 256 if cuda else 16
    waves = made.long_clips(count, 0.01 * frames)
    own = PaceSettings(
        backbone=backbone, dataset=made.NAME, policies=(policy,), keep_rates=(1.0, 0.5), blocks=BLOCKS, bucket=8,
        batchings=("padded", "bucketed", *(("packed",) if cuda else ())), batch_size=64, tokens_per_batch=32768,
        warmup=1, runs=2 if given.quick else 3, precision="bf16" if cuda else "fp32", device=provenance.device(),
    )  # fmt: skip
    ragged = [torch.from_numpy(wave[: len(wave) * (i + 1) // count]) for i, wave in enumerate(waves)]
    for one in timings(own, ragged, frames, device):
        note = (
            f"{one['speed_up']:.2f} x padded and unpruned, {one['mac_ratio']:.2f} by MACs; {one['waste']:.0f} % padding"
        )
        name = f"{backbone}, {one['batching']}, {one['policy']} {one['keep_rate']:g}, {own.precision}"
        rows.add(name, one["clips_per_s"], "clips/s", note=note)
    if not cuda:
        for rate in own.keep_rates:
            rows.needs_cuda(f"{backbone}, packed, {policy} {rate:g}")
