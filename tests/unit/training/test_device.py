"""Where a step computes: float32 is float32, whatever the environment says."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SAYS = """
import torch
from audioprune.training.device import prepare
prepare("audiomae-tiny")
cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
print(cuda.allow_tf32, cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled())
"""


@pytest.mark.parametrize("override", ["0", "1"])
def test_no_matrix_product_is_in_tf32(override):
    environment = os.environ | {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": override}
    said = subprocess.run(
        [sys.executable, "-c", SAYS], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == ["False", "False", "True"]
