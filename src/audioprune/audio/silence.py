"""How much of a clip is silence: frames far below its loudest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.mel import SHIFT, WINDOW

if TYPE_CHECKING:
    import numpy as np

BELOW_DB = 35.0


def silence(waveform: np.ndarray, below_db: float = BELOW_DB) -> float:
    """(L,) -> the share of frames of 25 ms, every 10 ms, whose power is more than so much below the loudest one's.

    1 of a clip without any sound; a clip shorter than a frame is one frame.
    """
    import numpy as np

    power = np.square(np.pad(waveform.astype(np.float64), (0, max(0, WINDOW - len(waveform)))))
    sums = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, len(power) - WINDOW + 1, SHIFT)
    frames = sums[starts + WINDOW] - sums[starts]
    loudest = frames.max()
    return 1.0 if loudest <= 0 else float((frames < loudest * 10 ** (-below_db / 10)).mean())
