"""Digest of a checkpoint's tensors: the same for equal weights, whatever the file, format version or order.

SHA-256 over the sorted lines "<name> <dtype> <shape with x> <sha256 of the tensor's bytes>\n", such as
`encoder.conv1.weight float16 512x80x3 ...`. Of the weights by name that a checkpoint holds itself or as
`model_state_dict` (openai-whisper).
"""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from audioprune.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def digest(path: Path) -> str:
    """Raises UserError for a file that holds no tensors by name."""
    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise UserError(f"{path} cannot be read as a checkpoint of PyTorch: {first}") from None
    tensors = held.get("model_state_dict", held) if isinstance(held, dict) else {}
    if not tensors or not all(isinstance(one, torch.Tensor) for one in tensors.values()):
        raise UserError(f"{path} holds no tensors by name")
    lines = [
        f"{name} {str(one.dtype).removeprefix('torch.')} {'x'.join(map(str, one.shape))} {_bytes(one)}\n"
        for name, one in tensors.items()
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _bytes(tensor: Tensor) -> str:
    import torch

    return hashlib.sha256(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()
