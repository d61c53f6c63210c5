"""The device of a step, and how its computation is kept deterministic."""

from __future__ import annotations

import os

import torch

from audioprune import registry
from audioprune.errors import UserError


def prepare(backbone: str) -> torch.device:
    """Deterministic algorithms, a fixed number of threads, and the device: the GPU where there is one.

    Small backbones compute in one thread: two run side by side on two cores faster than one on both. The thread count
    changes how sums are split, and so the last bits of a result on a CPU.
    """
    return deterministic(1 if registry.backbone(backbone).size.small else 8)


def deterministic(threads: int) -> torch.device:
    """The same with at most so many threads."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before CUDA starts: deterministic matrix products
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms(True), less 4 s of importing a compiler
    # a debugging aid that costs time; torch's stubs do not know it
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Float32 is float32, also where TORCH_ALLOW_TF32_CUBLAS_OVERRIDE says otherwise, as container images do.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.set_num_threads(min(threads, os.cpu_count() or 1))
    torch.set_flush_denormal(True)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Mixed precision of the forward pass; float32 is no autocast at all."""
    if precision == "fp16" and device.type != "cuda":
        raise UserError("precision fp16 needs a CUDA GPU and none is visible here; set precision: fp32 in the recipe")
    dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    return torch.autocast(device.type, dtype=dtype, enabled=precision != "fp32")
