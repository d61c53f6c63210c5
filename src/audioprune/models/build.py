"""Building a backbone with a pruner: the only place where settings are checked and combined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audioprune import registry
from audioprune.errors import UserError
from audioprune.facts.checks import check_blocks, check_counts, check_cut, check_keep_rate, check_whole
from audioprune.facts.options import option_names, refusal
from audioprune.facts.tokens import BLOCKS, PATCH, Tokens
from audioprune.models.family import Classifier, layer_of
from audioprune.models.init import initialise
from audioprune.models.pruner import Counting, Pruner, Pruning
from audioprune.models.vit import KERNELS
from audioprune.models.weights import load_checkpoint

__all__ = ["assemble", "build_model", "layer_of", "load_checkpoint"]


def build_model(
    backbone: str = "audiomae-tiny",
    *,
    frames: int,
    num_classes: int,
    method: str = "none",
    keep_rate: float = 1.0,
    blocks: Sequence[int] = BLOCKS,
    options: Mapping[str, object] | None = None,
    patch: int = PATCH,
    stride: int = PATCH,
    kernel: str = "fused",
    drop_path: float = 0.0,
    seed: int = 0,
    width: int | None = None,
    depth: int | None = None,
    num_heads: int | None = None,
) -> Classifier:
    """A freshly initialised model: normalised log-mel (B, frames, 128) -> logits (B, num_classes).

    method "none" never selects; any other selects at `blocks` unless model.keep_rate is 1. A method with a constant r
    (tome) acts in every block instead, and the keep-rate, if not set to 1 later, is what r leaves. Raises UserError.
    """
    if backbone not in registry.names("backbones"):
        raise UserError(f"no backbone named {backbone!r}{registry.nearest(backbone, registry.names('backbones'))}")
    facts = registry.backbone(backbone)
    width = facts.size.width if width is None else width
    model = assemble(
        facts.family.name,
        frames=frames,
        num_classes=num_classes,
        method=method,
        keep_rate=keep_rate,
        blocks=blocks,
        options=options or {},
        patch=patch,
        stride=stride,
        kernel=kernel,
        drop_path=drop_path,
        width=width,
        depth=facts.size.depth if depth is None else depth,
        num_heads=facts.size.num_heads if num_heads is None else num_heads,
        hidden=4 * width,
    )
    initialise(model, seed)
    return model


def assemble(
    family: str,
    *,
    frames: int,
    num_classes: int,
    method: str,
    keep_rate: float,
    blocks: Sequence[int],
    options: Mapping[str, object],
    patch: int,
    stride: int,
    kernel: str,
    drop_path: float,
    width: int,
    depth: int,
    num_heads: int,
    hidden: int,
) -> Classifier:
    """A model of a family (a module of audioprune.backbones) whose weights are not set yet."""
    module = registry.family_module(family)
    whole = {
        "frames": frames,
        "num_classes": num_classes,
        "width": width,
        "depth": depth,
        "num_heads": num_heads,
        "hidden": hidden,
        "patch": patch,
        "stride": stride,
    }
    check_whole(**whole)
    check_cut(frames, patch, stride)
    if width % num_heads or width % 4:
        raise UserError(f"width={width} must be a multiple of num_heads={num_heads} and of 4")
    if kernel not in KERNELS:
        raise UserError(f"kernel={kernel!r} is none of {', '.join(KERNELS)}")
    if not 0 <= drop_path < 1:
        raise UserError(f"drop_path={drop_path} is not in [0, 1)")
    keep_rate, chosen = check_keep_rate(keep_rate), check_blocks(blocks, depth)
    tokens = module.FACTS.tokens(frames, patch, stride)
    pruner = make_pruner(method, tokens, options)
    if pruner is not None and pruner.r is not None:
        chosen, keep_rate = tuple(range(depth)), left_by(pruner, tokens.patches, depth)
    elif pruner is not None and keep_rate < 1:
        counts = check_counts(tokens, keep_rate, len(chosen), released_gather=pruner.released_gather)
        if not isinstance(pruner, Pruner):
            for n in [tokens.patches, *counts][: len(chosen)]:
                pruner.count(keep_rate, n)  # a merger can take no more than half of the tokens
    pruning = Pruning(pruner, blocks=chosen, keep_rate=keep_rate)
    return module.build(tokens, kernel=kernel, drop_path=drop_path, pruning=pruning, **whole)


def make_pruner(method: str, tokens: Tokens, options: Mapping[str, object]) -> Pruner | Counting | None:
    """The pruner (of tome: the merger) of a method with its options, all of which it must know."""
    if method not in registry.names("pruning"):
        raise UserError(f"no pruning method named {method!r}{registry.nearest(method, registry.names('pruning'))}")
    build = registry.get("pruning", method).build
    known = option_names(build)
    for name in options:
        if name not in known:
            raise UserError(f"method {method!r} has no option {name!r}{registry.nearest(name, known)}")
    reducer = build(tokens, **options)  # which says best what is wrong with its own values
    for name, value in options.items():
        if wrong := refusal(registry.method(method), build, name, value):
            raise UserError(f"method {method!r}: {wrong}")
    return reducer


def left_by(merger: Counting, patches: int, depth: int) -> float:
    """Share of the patch tokens that a constant r leaves after all blocks."""
    n = patches
    for _ in range(depth):
        n -= merger.count(1.0, n)
    return n / patches
