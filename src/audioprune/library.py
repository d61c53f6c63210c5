"""audioprune as a library: a model from an official checkpoint, and a look inside it.

import audioprune
model = audioprune.load_model(backbone="ast", checkpoint="ast.pth", num_classes=527, frames=1024, keep_rate=0.7)
seen = audioprune.trace(model, x)  # x: normalised log-mel (clips, frames, 128)

model = audioprune.prune_whisper(whisper.load_model("base"), policy="topk", keep_rate=0.25, blocks=(2,))
text = model.transcribe("speech.wav")["text"]
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from audioprune import registry
from audioprune.errors import UserError
from audioprune.facts.method import Value
from audioprune.facts.tokens import BLOCKS
from audioprune.models.build import assemble
from audioprune.models.family import Classifier
from audioprune.models.init import initialise_head
from audioprune.models.perturb import perturb
from audioprune.models.trace import Trace, trace
from audioprune.models.weights import load_checkpoint, read_checkpoint, read_head

if TYPE_CHECKING:
    from whisper.model import Whisper

__all__ = ["Trace", "load_model", "prune_whisper", "trace"]


def load_model(
    backbone: str,
    checkpoint: Path | str,
    head: Path | str | None = None,
    frames: int = 512,
    num_classes: int = 50,
    num_heads: int | None = None,
    method: str = "topk",
    keep_rate: float = 0.5,
    *,
    blocks: Sequence[int] = BLOCKS,
    kernel: str = "fused",
    stride: int | None = None,
    head_seed: int = 0,
    perturbation: str = "none",
    tau: float | None = None,
    **method_options: Value,
) -> Classifier:
    """A pruned (or, with keep_rate=1, unpruned) model in evaluation mode: log-mel (B, frames, 128) -> logits.

    backbone    "audiomae", "ast" or "ast-mp"; widths, depth and patch size are read off the checkpoint
    checkpoint  official format, by torch.save or .safetensors
    head        file with norm.weight, norm.bias, head.weight, head.bias (.npz, .safetensors or by torch.save); None:
                the checkpoint's own head if it has `num_classes` classes, else, with a warning, a fresh one (head_seed)
    num_heads   None: what the checkpoint says (only files written by this project do), else width / 64
    method_options   of the pruning method: score=, variant=, seed=, r= (tome: in every block, whatever keep_rate says)
    Raises UserError for anything that does not fit.
    """
    family = _family(backbone)
    state, metadata = read_checkpoint(checkpoint)
    shape = _shape(state, checkpoint)
    if num_heads is None:
        num_heads = int(metadata["num_heads"]) if "num_heads" in metadata else _heads(shape["width"], checkpoint)
    model = assemble(
        family,
        frames=frames,
        num_classes=num_classes,
        method=method,
        keep_rate=keep_rate,
        blocks=blocks,
        options=method_options,
        stride=shape["patch"] if stride is None else stride,
        kernel=kernel,
        drop_path=0.0,
        num_heads=num_heads,
        **shape,
    )
    perturb(model.pruning.pruner, perturbation, tau)
    own = state.get(model.rules.head["head.weight"])
    weights: Mapping[str, Tensor] | Literal["fresh", "own"]
    if head is not None:
        weights = read_head(head)
        _check_head(weights, head, num_classes, shape["width"])
    elif own is not None and own.shape[0] == num_classes:
        weights = "own"
    else:
        weights = "fresh"
        initialise_head(model, head_seed)
        has = "no head" if own is None else f"a head of {own.shape[0]} classes"
        warnings.warn(
            f"{checkpoint} has {has}, not one of {num_classes}: the head is untrained, from seed {head_seed}",
            stacklevel=2,
        )
    load_checkpoint(model, state, head=weights, source=checkpoint)
    return model.eval()


def prune_whisper(
    model: Whisper,
    policy: str = "topk",
    keep_rate: float = 0.5,
    blocks: Sequence[int] = (2,),
    *,
    within: Literal["window", "sound"] = "window",
    **policy_options: Value,
) -> Whisper:
    """Prune the encoder of a model of openai-whisper, and give the model back: it transcribes and decodes as ever.

    policy      topk (by attention received), intensity (by log-mel), random; stride (evenly in time), pool (average
                neighbours); adjacent (merge neighbours that are alike)
    keep_rate   share of the tokens kept at each pruning block; 1: the untouched model, to the last bit
    blocks      pruning blocks of the encoder, counted from zero
    within      "window": of all 1500 tokens of a 30 s window. "sound": of those that hold sound, and all padding stays;
                clips of other lengths then have other numbers of tokens, and are decoded one at a time
    policy_options   of the policy: seed= of random
    `model.encoder.kept` are the tokens that the last window kept; encodings (B, n, D) of any number of tokens can be
    decoded. `word_timestamps=True` is refused, since it reads times off the places of tokens. `model.restore()` gives
    the untouched model back; to prune it in another way, call this again.
    Raises UserError for a name or value that does not exist.
    """
    from audioprune.recognisers import whisper

    return whisper.prune(model, policy, keep_rate, blocks, within, **policy_options)


def _family(backbone: str) -> str:
    """A family, named with or without a size: "ast-mp" and "ast-mp-b" -> "ast-mp"."""
    if backbone in registry.families():
        return backbone
    if backbone in registry.names("backbones"):
        return registry.backbone(backbone).family.name
    raise UserError(f"no backbone named {backbone!r}{registry.nearest(backbone, registry.families())}")


def _shape(state: Mapping[str, Tensor], checkpoint: Path | str) -> dict[str, int]:
    """Width, hidden width, depth and patch size, read off the weights."""
    bare = {key.removeprefix("v."): value for key, value in state.items()}
    blocks = {int(key.split(".")[1]) for key in bare if key.startswith("blocks.") and key.split(".")[1].isdigit()}
    try:
        width, _, patch, _ = bare["patch_embed.proj.weight"].shape
        hidden = bare["blocks.0.mlp.fc1.weight"].shape[0]
    except (KeyError, ValueError):
        raise UserError(
            f"{checkpoint} is no AudioMAE or AST checkpoint: it has no patch_embed.proj.weight or "
            "no blocks.0.mlp.fc1.weight of the expected form"
        ) from None
    return {"width": width, "hidden": hidden, "depth": 1 + max(blocks), "patch": patch}


def _heads(width: int, checkpoint: Path | str) -> int:
    if width % 64:
        raise UserError(f"{checkpoint} is {width} wide, which 64 does not divide: give num_heads=")
    return width // 64


def _check_head(head: Mapping[str, Tensor], path: Path | str, num_classes: int, width: int) -> None:
    shape = tuple(head["head.weight"].shape)
    if shape != (num_classes, width):
        raise UserError(f"head {path} has weights {shape}, expected {(num_classes, width)}: classes x width")
