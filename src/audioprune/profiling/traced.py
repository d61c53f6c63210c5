"""MACs counted by torchprofile on a real forward pass, against which the closed form is checked.

Three things would make torchprofile's number wrong, and are met here:

* K computed from a traced shape in float32: 0.6 x 185 becomes 111.00001 and 112 tokens stay (P0 prints 27.12, not
  27.11). Ours comes from exact arithmetic on Python integers (models/pruner.py), traced or not.
* Arithmetic on shapes counts one MAC an operation once it is traced: operations on 0-dimensional values are left out.
* An operator without a rule counts nothing, and the fused attention leaves out the scaling: an operator that is neither
  counted nor known to be free is refused, and so is the fused kernel.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from audioprune.errors import UserError
from audioprune.facts.mel import MEL_BINS

# Met in our models without a rule in torchprofile, and no multiply-accumulate by its conventions.
FREE = {"aten::argsort", "aten::pad", "aten::sort", "aten::std", "aten::topk", "aten::unbind"}


@torch.no_grad()
def profile(model: nn.Module, frames: int) -> int:
    """MACs of one clip (1, frames, 128), in evaluation mode, wherever the model is.

    On the `meta` device nothing is computed, only shapes are followed: ViT-B takes a second. Raises UserError.
    """
    from torchprofile import profile_macs

    training, device = model.training, next(model.parameters()).device
    model.eval()
    try:
        with _uncounted_untraced(model), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            counted: Any = profile_macs(model, torch.zeros(1, frames, MEL_BINS, device=device), reduction=None)
    finally:
        model.train(training)
    _refuse({node.operator for node in counted}, [str(warning.message) for warning in caught])
    return sum(macs for node, macs in counted.items() if node.outputs[0].shape)


@contextmanager
def _uncounted_untraced(model: nn.Module) -> Iterator[None]:
    """Keep the tracer out of what the closed form leaves out.

    A ranking that only looks up a fixed order (the random one reads bits, which the tracer cannot), and tome's merging,
    for which a cut to the same number of tokens stands in: what follows depends on shapes alone.
    """
    pruner = getattr(getattr(model, "pruning", None), "pruner", None)
    rank, merge = getattr(pruner, "rank", None), getattr(pruner, "merge", None)
    if isinstance(rank, nn.Module):
        changed, forward = rank, _untraced(rank.forward)
    elif isinstance(merge, nn.Module):
        merged = _untraced(merge.forward)
        changed, forward = merge, lambda x, survivors, keys, count: (x[:, count:], merged(x, survivors, keys, count)[1])
    else:
        yield
        return
    changed.forward = forward
    try:
        yield
    finally:
        del changed.forward


def _untraced(work: Callable) -> Callable:
    def untraced(*inputs: Any) -> Any:
        state = torch._C._get_tracing_state()
        torch._C._set_tracing_state(None)  # type: ignore[attr-defined]
        try:
            return work(*inputs)
        finally:
            torch._C._set_tracing_state(state)  # type: ignore[attr-defined]

    return untraced


def _refuse(counted: set[str], messages: list[str]) -> None:
    """Raise UserError where torchprofile's count would miss something."""
    if "aten::scaled_dot_product_attention" in counted:
        raise UserError(
            "torchprofile cannot count the scaling inside fused attention; build the model with kernel=eager"
        )
    unknown = {found[1] for message in messages if (found := re.search(r'No handlers found: "([^"]+)"', message))}
    if unknown - FREE:
        names = ", ".join(sorted(unknown - FREE))
        raise UserError(
            f"torchprofile has no rule for {names}, so its cost would be missing; if it multiplies nothing, "
            "add it to FREE in audioprune/profiling/traced.py"
        )
