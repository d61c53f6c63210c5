"""A reproducibility laboratory for token pruning in audio transformers.

`audioprune.load_model`, `audioprune.fbank`, `audioprune.prune_whisper` and `audioprune.trace` are the library; they
import torch when first used.
"""

from __future__ import annotations

from typing import Any

from audioprune.version import __version__

__all__ = ["__version__", "fbank", "load_model", "prune_whisper", "trace"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from audioprune import library

        return getattr(library, name)
    raise AttributeError(f"module 'audioprune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
