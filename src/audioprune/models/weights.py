"""Official checkpoints: read safely, and matched key by key.

AudioMAE   {"model": ..., "epoch": ...}; a pre-training has `norm.*` and a decoder, which go, and no fc_norm and head
AST        `module.v.*` and `module.mlp_head.*`; ImageNet's heads `v.head.*`, `v.head_dist.*` go

Any other key that one side has and the other has not is an error that names it. Pickles are only read as data
(weights_only=True), so a file that would run code is refused.
"""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from audioprune.errors import UserError
from audioprune.models.family import Classifier
from audioprune.models.foreign import official
from audioprune.sources.checkpoints import kind_of

HEAD_KEYS = ("norm.weight", "norm.bias", "head.weight", "head.bias")


@dataclass(frozen=True)
class Loaded:
    """What became of a checkpoint's keys."""

    missing: tuple[str, ...]  # the head's, where the checkpoint has none
    dropped: tuple[str, ...]  # the checkpoint's that the model has no use for
    head: Literal["fresh", "own", "given"]


def read_checkpoint(path: Path | str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(weights, metadata) of a .safetensors file or of a checkpoint by torch.save, by official names without `module.`.

    Other libraries' forms of the two models are read, too (models.foreign).
    """
    path = checked_path(path)
    if not path.is_file():
        raise UserError(f"there is no checkpoint {path}")
    if path.suffix == ".safetensors":
        state, metadata = _read_safetensors(path)
    else:
        state, metadata = _read_pickle(path), {}
    for wrapper in ("model", "state_dict"):
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
            break
    if not isinstance(state, Mapping) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f"{path} holds no weights: expected a dictionary of tensors, or one under 'model'")
    return official({str(key).removeprefix("module."): value for key, value in state.items()}), metadata


def checked_path(given: object) -> Path:
    """The path of a file that a user names; raises UserError for what is none."""
    if not isinstance(given, str | Path):
        raise UserError(f"{given!r} is not the path of a file")
    return Path(given).expanduser()


def _read_safetensors(path: Path) -> tuple[dict, dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is truncated or damaged ({error}): fetch it again") from None


def _read_pickle(path: Path) -> Any:
    try:  # the official pre-trainings also hold their command line, a plain argparse.Namespace
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old protocols
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's own message advises to read the file unsafely
        code = re.search(r"(?:GLOBAL:?|class) ([\w.]+)", str(error))
        if code or (isinstance(error, pickle.UnpicklingError) and path.read_bytes()[:1] == pickle.PROTO):
            what = f" ({code[1]})" if code else ""
            raise UserError(
                f"{path} is refused: it holds more than tensors{what}, and reading that could run code. Save its "
                "state_dict alone, best as .safetensors"
            ) from None
        raise UserError(f"{path} is truncated or damaged ({type(error).__name__}): fetch it again") from None


def read_head(path: Path | str) -> dict[str, Tensor]:
    """A fine-tuning head, .npz, .safetensors or by torch.save: norm.weight, norm.bias, head.weight, head.bias."""
    path = checked_path(path)
    if path.suffix == ".npz" and path.is_file():
        import numpy as np

        try:
            with np.load(path, allow_pickle=False) as file:
                head = {key: torch.from_numpy(file[key]) for key in file.files}
        except Exception as error:
            raise UserError(f"{path} is truncated or damaged ({error}): fetch it again") from None
    else:
        head, _ = read_checkpoint(path)
    if set(head) != set(HEAD_KEYS):
        raise UserError(f"head {path} has {', '.join(sorted(head))}; expected {', '.join(HEAD_KEYS)}")
    return head


def load_checkpoint(
    model: Classifier,
    state: Mapping[str, Tensor],
    *,
    head: Literal["fresh", "own"] | Mapping[str, Tensor] = "fresh",
    source: object = "checkpoint",
) -> Loaded:
    """Load a checkpoint into a built model, changed in place; raises UserError naming every key that does not fit.

    state   weights by official key names, with or without `module.`
    head    "fresh": the model's own head stays; "own": the checkpoint's; or a dictionary with the names of HEAD_KEYS
    source  what messages call the checkpoint
    """
    rules, target = model.rules, model.state_dict()
    state = {key.removeprefix("module."): value for key, value in state.items()}
    heads = set(rules.head.values())
    dropped = tuple(sorted(key for key in state if rules.drops(key)))
    missing = tuple(sorted(key for key in target if key not in state))
    unknown = sorted(set(state) - set(target) - set(dropped))
    lacking = sorted(set(missing) - heads) or (sorted(missing) if set(missing) != heads else [])
    if unknown or lacking:
        found = [f"unexpected: {', '.join(unknown)}"] if unknown else []
        found += [f"missing: {', '.join(lacking)}"] if lacking else []
        words = kind_of({key: tuple(value.shape) for key, value in state.items()}).words
        raise UserError(f"{source} is no checkpoint of this backbone ({words}); {'; '.join(found)}")
    weights = {key: value for key, value in state.items() if key in target and key not in heads}
    for key in weights:
        if key.rpartition(".")[2] == "pos_embed":
            weights[key] = model.window.adopt(target[key], weights[key])
    if head == "fresh":
        weights |= {key: target[key] for key in heads}
    elif head == "own":
        if missing:
            raise UserError(f"{source} has no head of its own; missing: {', '.join(missing)}")
        weights |= {key: state[key] for key in heads}
    else:
        weights |= {rules.head[name]: value for name, value in head.items()}
    wrong = [
        f"{key} is {tuple(value.shape)}, the model's {tuple(target[key].shape)}"
        for key, value in sorted(weights.items())
        if value.shape != target[key].shape
    ]
    if wrong:
        raise UserError(f"{source} does not fit the model: {'; '.join(wrong)}")
    model.load_state_dict(weights)
    return Loaded(missing, dropped, head if isinstance(head, str) else "given")
