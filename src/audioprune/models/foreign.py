"""Checkpoints of the two models in other libraries' formats: names are translated, numbers are unchanged.

encoder        the `v` of an AST saved alone
timm           AudioMAE in timm's VisionTransformer with mean pooling and no head (timm.create_model with one channel,
               img_size=(1024, 128), global_pool="avg"): its fc_norm is the pre-training's norm
transformers   ASTModel and ASTForAudioClassification: query, key and value apart, other names. The inverse of that
               library's convert_audio_spectrogram_transformer_original_to_pytorch.py. Its norms add 1e-12 to a
               variance, the released model's and so ours 1e-6: logits agree within 1e-4
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from audioprune.sources.checkpoints import TRANSFORMERS, kind_of

NAMES = (  # of transformers -> official
    (r"embeddings\.cls_token", "v.cls_token"),
    (r"embeddings\.distillation_token", "v.dist_token"),
    (r"embeddings\.position_embeddings", "v.pos_embed"),
    (r"embeddings\.patch_embeddings\.projection\.(\w+)", r"v.patch_embed.proj.\1"),
    (r"encoder\.layer\.(\d+)\.attention\.output\.dense\.(\w+)", r"v.blocks.\1.attn.proj.\2"),
    (r"encoder\.layer\.(\d+)\.layernorm_before\.(\w+)", r"v.blocks.\1.norm1.\2"),
    (r"encoder\.layer\.(\d+)\.layernorm_after\.(\w+)", r"v.blocks.\1.norm2.\2"),
    (r"encoder\.layer\.(\d+)\.intermediate\.dense\.(\w+)", r"v.blocks.\1.mlp.fc1.\2"),
    (r"encoder\.layer\.(\d+)\.output\.dense\.(\w+)", r"v.blocks.\1.mlp.fc2.\2"),
    (r"layernorm\.(\w+)", r"v.norm.\1"),
    (r"classifier\.layernorm\.(\w+)", r"mlp_head.0.\1"),
    (r"classifier\.dense\.(\w+)", r"mlp_head.1.\1"),
)
QUERY = re.compile(r"(encoder\.layer\.(\d+)\.attention\.attention\.)query\.(\w+)")
SPLIT = re.compile(r"encoder\.layer\.\d+\.attention\.attention\.(query|key|value)\.\w+")


def official(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint by official names, whichever of these forms it has; others stay as they are."""
    form = kind_of({name: tuple(value.shape) for name, value in state.items()}).form
    return FORMS[form](state) if form in FORMS else dict(state)


def _encoder(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name if name.startswith("mlp_head.") else f"v.{name}": value for name, value in state.items()}


def _timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {re.sub(r"^fc_norm\.", "norm.", name): value for name, value in state.items()}


def _transformers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    bare = {name.removeprefix(TRANSFORMERS): value for name, value in state.items()}
    found = {_renamed(name): value for name, value in bare.items() if not SPLIT.fullmatch(name)}
    for name in bare:
        if (match := QUERY.fullmatch(name)) and all(f"{match[1]}{one}.{match[3]}" in bare for one in ("key", "value")):
            parts = [bare[f"{match[1]}{one}.{match[3]}"] for one in ("query", "key", "value")]
            found[f"v.blocks.{match[2]}.attn.qkv.{match[3]}"] = torch.cat(parts)
    return found


def _renamed(name: str) -> str:
    for pattern, other in NAMES:
        if match := re.fullmatch(pattern, name):
            return match.expand(other)
    return name


FORMS: dict[str, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]] = {
    "encoder": _encoder,
    "timm": _timm,
    "transformers": _transformers,
}
