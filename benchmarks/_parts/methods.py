"""Merging, selecting and discarding on this device against the CPU: who is kept, what is predicted, what is learnt."""

from __future__ import annotations

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import audioprune
from audioprune.audio.fbank import log_mel, normalise
from audioprune.models.build import build_model
from audioprune.tokens.discard import discard_clips
from audioprune.training.device import prepare
from benchmarks._parts import made
from benchmarks._parts.given import Given
from benchmarks._parts.rows import Rows

CPU = torch.device("cpu")
CLOSE = 1e-3  # float32 logits of two devices; twelve blocks of sums in another order
GRADIENTS = 1e-2  # largest difference of a gradient, as a share of the largest gradient of its parameter
EQUAL = 0.99  # share of equal kept patches: two statistics that differ in the last bit may change places
MERGING = ({"keep_rate": 0.6}, {"r": 4}, {"keep_rate": 0.6, "proportional": False})
SELECTING = (
    ("topk", {}), ("topk", {"score": "cls"}), ("topk", {"score": "global_literal"}), ("random", {"seed": 3}),
    ("uniform", {}), ("intensity", {}), ("variation", {}), ("intensity", {"variant": "as_released"}),
)  # fmt: skip


def run(given: Given, rows: Rows) -> None:
    device = prepare("audiomae-tiny")
    note = "" if device.type == "cuda" else "the device is the CPU: it is compared with itself"
    waves = torch.from_numpy(np.stack([wave for _, wave in made.words(0, 8)]))
    x = normalise(log_mel(waves, None, made.FRAMES)[0], -6.0, 3.0)
    families = ("audiomae", "ast")
    for family in families:
        for kernel in ("eager", "fused"):
            for options in MERGING:
                shown = ", ".join(f"{key} {value}" for key, value in options.items())
                what = f"{family}, {kernel}, tome, {shown}"
                with rows.guarded(what):
                    merge(rows, what, model_of(family, kernel, "tome", options), x, device, note)
            for method, options in SELECTING:
                what = " ".join([f"{family}, {kernel}, {method}", *map(str, options.values())])
                with rows.guarded(what):
                    select(rows, what, model_of(family, kernel, method, {"keep_rate": 0.6, **options}), x, device, note)
        with rows.guarded(f"{family}: discarding"):
            discard(rows, f"{family}: discarding", model_of(family, "fused", "none", {}), x, device, note)


def model_of(family: str, kernel: str, method: str, options: dict) -> nn.Module:
    given = dict(options)
    rate = given.pop("keep_rate", 1.0)
    frames, classes = made.FRAMES, len(made.WORDS)
    return build_model(
        f"{family}-tiny",
        frames=frames,
        num_classes=classes,
        method=method,
        keep_rate=rate,
        options=given,
        kernel=kernel,
    ).eval()


def there(model: nn.Module, device: torch.device) -> nn.Module:
    return copy.deepcopy(model).to(device)


def merge(rows: Rows, what: str, model: nn.Module, x: Tensor, device: torch.device, note: str) -> None:
    found = []
    for place in (CPU, device):
        one = there(model, place)
        given = x.to(place)
        _, survivors = one.survive(given) if hasattr(one, "survive") else one.v(one.pixels(given), None, one.pruning)
        loss = F.cross_entropy(one(given), torch.arange(len(x), device=place))
        loss.backward()
        gradients = {name: value.grad.cpu() for name, value in one.named_parameters() if value.grad is not None}
        found.append((survivors.patch_ids.cpu(), survivors.sizes.cpu(), one(given).detach().cpu(), gradients))
    (numbers, sizes, logits, gradients), (numbers2, sizes2, logits2, gradients2) = found
    same = ((numbers == numbers2) & (sizes == sizes2)).float().mean().item()
    rows.add(f"{what}: tokens and their sizes", same, "share of equal", at_least=EQUAL, note=note)
    rows.add(f"{what}: logits", (logits - logits2).abs().max().item(), "max abs difference", at_most=CLOSE, note=note)
    least = 1e-3 * max(own.abs().max() for own in gradients.values())  # of a gradient that is no mere rounding
    off = [(own - gradients2[name]).abs().max() / own.abs().max().clamp(min=least) for name, own in gradients.items()]
    rows.add(f"{what}: gradients", max(off).item(), "share of the largest", at_most=GRADIENTS, note=note)


def select(rows: Rows, what: str, model: nn.Module, x: Tensor, device: torch.device, note: str) -> None:
    one, other = (audioprune.trace(there(model, place), x.to(place)) for place in (CPU, device))
    same = [(own == other.kept[block].cpu()).float().mean().item() for block, own in one.kept.items()]
    rows.add(f"{what}: kept and their order", min(same), "share of equal", at_least=EQUAL, note=note)
    off = (one.logits - other.logits.cpu()).abs().max().item()
    rows.add(f"{what}: logits", off, "max abs difference", at_most=CLOSE, note=note)


def discard(rows: Rows, what: str, model: nn.Module, x: Tensor, device: torch.device, note: str) -> None:
    """Half of the patches by intensity, and as many at random, after two of the blocks."""
    middle = float(x.median())
    found = [
        list(
            discard_clips(
                there(model, place),
                range(len(x)),
                lambda batch: x[list(batch)],
                keep={"loud": (middle, np.inf)},
                blocks=(0, 6),
                control_seed=0,
                device=place,
            )
        )
        for place in (CPU, device)
    ]
    pairs = list(zip(*found, strict=True))
    same = np.mean([np.mean(one.left == other.left) for one, other in pairs])
    rows.add(f"{what}: tokens left", float(same), "share of equal clips", equals=1.0, note=note)
    off = max(float(np.abs(one.scores - other.scores)[one.left > 0].max()) for one, other in pairs)
    rows.add(f"{what}: logits", off, "max abs difference", at_most=CLOSE, note=note)
