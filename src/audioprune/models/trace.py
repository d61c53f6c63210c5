"""Traces of a model: scores, kept patches and norms of every block, recorded by hooks on the unchanged model.

Letters: B clips, H heads, N tokens of which the first e are prefix, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from audioprune.errors import UserError
from audioprune.models import scores
from audioprune.models.pruner import Pruner, Pruning, View, gather_kept


@dataclass(frozen=True)
class Trace:
    """Everything by zero-based block; n tokens enter its attention besides the prefix ones.

    scores     "global" and "cls" -> block -> (B, n) attention received by each of those tokens. "cls" ends where
               `as_released` has lost the class token; then all tokens of the sequence are counted as non-prefix
    entering   block -> (B, n) int64 the same tokens' patch numbers in the input, -1 for a prefix token
    kept       selecting block -> (B, K) int64 patch numbers of the tokens that stay, by descending rank
    norms      block -> (B,) mean over all tokens of |x| / |attention branch of x|, x the block's input (P0 Fig. 7)
    logits     (B, classes)
    """

    scores: dict[str, dict[int, Tensor]] = field(default_factory=lambda: {"global": {}, "cls": {}})
    entering: dict[int, Tensor] = field(default_factory=dict)
    kept: dict[int, Tensor] = field(default_factory=dict)
    norms: dict[int, Tensor] = field(default_factory=dict)
    logits: Tensor = field(default_factory=lambda: torch.empty(0))


class Inside(Protocol):
    """What of a model is looked at."""

    pruning: Pruning
    blocks: Iterable[Any]  # vit.Block, whose module is not needed for this


@torch.no_grad()
def trace(model: nn.Module, x: Tensor, keep_patches: Tensor | None = None) -> Trace:
    """Run normalised log-mel x (B, T, 128) through the model in evaluation mode and record what happens inside.

    Raises UserError for another model, an input of another shape, and a model that merges tokens: one token then stands
    for several patches.
    """
    if not hasattr(model, "pruning"):
        raise UserError(f"{type(model).__name__} is no model of audioprune: load one by audioprune.load_model")
    inside = cast(Inside, model)
    if inside.pruning.keep_rate < 1 and not isinstance(inside.pruning.pruner, Pruner | None):
        raise UserError(
            "a trace records which patches are kept, but this model merges patches (tome): trace a model of another "
            "method, or set model.keep_rate = 1"
        )
    found = Trace()
    training = model.training
    model.eval()
    try:
        with _hooks(inside, found):
            logits = model(x) if keep_patches is None else model(x, keep_patches)
    finally:
        model.train(training)
    return Trace(found.scores, found.entering, found.kept, found.norms, logits)


@contextmanager
def _hooks(model: Inside, found: Trace) -> Iterator[None]:
    handles = []
    for i, block in enumerate(model.blocks):
        handles += _watch(i, block, found)
    if isinstance(model.pruning.pruner, Pruner):
        handles.append(model.pruning.pruner.register_forward_hook(_on_selection(found)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _watch(i: int, block: Any, found: Trace) -> list[RemovableHandle]:
    seen: dict[str, Any] = {}  # what the block was given, until its attention is done

    def on_block(_: nn.Module, inputs: tuple) -> None:
        x, survivors = inputs[:2]
        seen.update(x=x, prefix=survivors.prefix)
        found.entering[i] = survivors.patch_ids[:, survivors.prefix :]

    def on_qkv(_layer: nn.Module, inputs: tuple, qkv: Tensor) -> None:
        q, k, _ = block.attn.split(qkv)
        for kind in ("global", "cls") if seen["prefix"] else ("global",):
            found.scores[kind][i] = scores.without_map(q, k, kind, seen["prefix"])

    def on_attention(_: nn.Module, inputs: tuple, output: tuple[Tensor, Tensor | None]) -> None:
        found.norms[i] = (seen["x"].norm(dim=2) / output[0].norm(dim=2)).mean(1)
        seen.clear()

    return [
        block.register_forward_pre_hook(on_block),
        block.attn.qkv.register_forward_hook(on_qkv),
        block.attn.register_forward_hook(on_attention),
    ]


def _on_selection(found: Trace) -> Callable[[Pruner, tuple[View], Tensor], None]:
    def on_selection(pruner: Pruner, inputs: tuple[View], keep: Tensor) -> None:
        (view,) = inputs
        patch_ids = view.patch_ids if pruner.released_gather else view.patches
        found.kept[view.block] = gather_kept(patch_ids, keep, 0)

    return on_selection
