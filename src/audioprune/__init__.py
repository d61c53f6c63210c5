"""A reproducibility laboratory for token pruning in audio transformers.

`audioprune.load_model` and `audioprune.trace` are the library; they import torch when first used.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load_model", "trace"]


def __getattr__(name: str) -> Any:
    if name in ("load_model", "trace"):
        from audioprune import library

        return getattr(library, name)
    raise AttributeError(f"module 'audioprune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
