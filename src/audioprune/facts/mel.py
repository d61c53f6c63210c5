"""Constants of the front end and the mel scale; no torch, so that planning and drawing may use it.

The filter bank has 128 triangles whose 130 edge points are equally spaced on the mel scale between 20 Hz and 8 kHz:
triangle b rises from edge b, peaks at edge b + 1 and ends at edge b + 2.
"""

from __future__ import annotations

import math

SAMPLE_RATE = 16_000  # Hz
WINDOW = 400  # samples: 25 ms
SHIFT = 160  # samples: 10 ms
MEL_BINS = 128
LOW_HZ, HIGH_HZ = 20.0, 8_000.0


def mel(hz: float) -> float:
    """Kaldi's mel scale (HTK's, with natural logarithm)."""
    return 1127.0 * math.log(1.0 + hz / 700.0)


def hertz(m: float) -> float:
    """Inverse of `mel`."""
    return 700.0 * (math.exp(m / 1127.0) - 1.0)


MEL_LOW = mel(LOW_HZ)
MEL_STEP = (mel(HIGH_HZ) - MEL_LOW) / (MEL_BINS + 1)
