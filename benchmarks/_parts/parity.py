"""What the released models compute (tests/fixtures/parity), here: float32 within 1e-4, and mixed precision."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import audioprune
from audioprune.profiling.rounds import arithmetic
from audioprune.training.device import autocast, prepare
from benchmarks._parts.given import ROOT, Given
from benchmarks._parts.rows import Rows

FIXTURES = ROOT / "tests" / "fixtures" / "parity"
EXACT = 1e-4
# Bounds of mixed precision: the largest difference of the logits as a share of the largest logit, and the least share
# of equal kept patches at a block. bf16 keeps 8 bits and fp16 11, and one flipped token changes what comes after it.
BOUNDS = {"bf16": (0.1, 0.8), "fp16": (0.02, 0.95)}


def run(given: Given, rows: Rows) -> None:
    device = prepare("audiomae-tiny")
    rows.add("TF32 of matrix products in training and evaluation", torch.backends.cuda.matmul.allow_tf32, equals=False)
    rows.add("TF32 of cuDNN in training and evaluation", torch.backends.cudnn.allow_tf32, equals=False)
    with arithmetic("fp32", device):  # TF32 off whatever the two rows say; autocast is switched on within
        outputs(rows, device)


def outputs(rows: Rows, device: torch.device) -> None:
    """Rows for every recorded output, kernel and precision."""
    found = {path.stem: np.load(path) for path in sorted(FIXTURES.glob("*_kr*.npz"))}
    for precision in ("fp32", *BOUNDS):
        for name, recorded in found.items():
            for kernel in ("eager", "fused"):
                what = f"{name}, {kernel}, {precision}"
                if precision == "fp16" and device.type != "cuda":
                    rows.needs_cuda(what)
                    continue
                with rows.guarded(what):
                    compare(rows, what, model_of(name, recorded, kernel).to(device), recorded, device, precision)


def model_of(name: str, recorded, kernel: str) -> nn.Module:
    family, _, rate = name.split("_")
    classes = recorded["logits"].shape[1]
    return audioprune.load_model(
        backbone=family,
        checkpoint=FIXTURES / f"{family}_tiny_official_format.pth",
        head=FIXTURES / f"{family}_head{classes}.npz",
        frames=recorded["fbank"].shape[1],
        num_classes=classes,
        num_heads=4,
        keep_rate=float(rate.removeprefix("kr")),
        kernel=kernel,
    )


def compare(rows: Rows, what: str, model: nn.Module, recorded, device: torch.device, precision: str) -> None:
    with autocast(device, precision):
        seen = audioprune.trace(model, torch.from_numpy(recorded["fbank"]).to(device))
    off = float(np.abs(seen.logits.float().cpu().numpy() - recorded["logits"]).max())
    if precision == "fp32":
        rows.add(f"{what}: logits", off, "max abs difference", at_most=EXACT)
        scores = {block: own.cpu().numpy() for block, own in seen.scores["global"].items()}
        worst = max(float(np.abs(own - recorded[f"block-{block}.attn_score"]).max()) for block, own in scores.items())
        rows.add(f"{what}: scores of 12 blocks", worst, "max abs difference", at_most=EXACT)
    else:
        share = off / float(np.abs(recorded["logits"]).max())
        rows.add(f"{what}: logits", share, "share of the largest", at_most=BOUNDS[precision][0])
    least = 1.0 if precision == "fp32" else BOUNDS[precision][1]
    for block, wanted in kept_sets(recorded).items():
        rows.add(
            f"{what}: kept at block {block}", equal_share(seen.kept[block], wanted), "share of equal", at_least=least
        )


def kept_sets(recorded) -> dict[int, np.ndarray]:
    """{block: patch numbers of the input (clips, K)} of what was recorded as places among the tokens of each block."""
    patches = np.tile(np.arange(recorded["block-0.attn_score"].shape[1]), (len(recorded["fbank"]), 1))
    found = {}
    for block in range(12):
        if f"block-{block}.topk_idx" in recorded:
            found[block] = patches = np.take_along_axis(patches, recorded[f"block-{block}.topk_idx"], axis=1)
    return found


def equal_share(kept: torch.Tensor, wanted: np.ndarray) -> float:
    """Share of the wanted patches that were kept, whatever their order: mean over clips."""
    both = [len(set(one) & set(other)) for one, other in zip(kept.tolist(), wanted.tolist(), strict=True)]
    return float(np.mean(both)) / wanted.shape[1]
