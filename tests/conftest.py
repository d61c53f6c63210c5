"""Steps set torch's global modes for their own process; a test that calls one must not change them for the others."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def _torch_modes_of_a_fresh_process():
    yield
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.use_deterministic_algorithms(False)
        torch.set_flush_denormal(False)
