"""What a clip of a transcript sounds like: its waveform, from the store that the transcripts were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from audioprune.audio.store import WaveformStore
    from audioprune.cells.query import Asked
    from audioprune.results.recognitions import Arm


def stores(cells: list[Any]) -> list[Asked]:
    """The cells of audio that transcripts were made from, each once."""
    return list({cell.inputs["audio"].path: cell.inputs["audio"] for cell in cells if "audio" in cell.inputs}.values())


def opened(arm: Arm) -> WaveformStore | None:
    """The store of an arm's clips; None where it is not there any more."""
    from audioprune.audio.store import WaveformStore

    audio: Any = arm.made[0].inputs.get("audio")
    return WaveformStore.open(audio.dir) if audio is not None and audio.ok else None


def waveform(store: WaveformStore, clip: str) -> np.ndarray:
    """(L,) float32."""
    return store.waveform(store.clips["clip"].tolist().index(clip))
