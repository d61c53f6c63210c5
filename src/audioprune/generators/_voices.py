"""The voices of the generated evaluation speech; the pre-training corpus uses other voices, defined there.

No variant with a `breath` line: espeak-ng 1.52 reads memory for it that it never set, so most of these sound different
in every process (seen with f2, f3, f5, victor, sandro, Alicia, whisper).
"""

from __future__ import annotations

from audioprune.generators._speech import Voice

VOICES = (
    Voice("adam", "gmw/en-US+adam", 45, 165),
    Voice("belinda", "gmw/en+belinda", 55, 175),
    Voice("michael", "gmw/en-US+Michael", 40, 160),
    Voice("fiona", "gmw/en-GB-scotland+f4", 55, 180),
    Voice("ross", "gmw/en-GB-scotland+m3", 45, 170),
    Voice("quincy", "gmw/en-GB-x-rp+quincy", 50, 165),
    Voice("linda", "gmw/en-US-nyc+linda", 50, 175),
    Voice("mario", "gmw/en-US+Mario", 50, 170),
    Voice("annie", "gmw/en-GB-x-rp+Annie", 60, 165),
    Voice("ian", "gmw/en-GB-x-gbclan+ian", 45, 165),
    Voice("kit", "gmw/en-US+klatt3", 60, 165),
    Voice("grandpa", "gmw/en+grandpa", 40, 160),
    Voice("shelby", "gmw/en-US+shelby", 55, 175),
    Voice("paul", "gmw/en-US+paul", 45, 170),
    Voice("aunty", "gmw/en-US+aunty", 50, 175),
    Voice("edward", "gmw/en-US+edward", 45, 165),
    Voice("steph", "gmw/en+steph", 55, 170),
    Voice("rob", "gmw/en-US-nyc+rob", 45, 165),
    Voice("gene", "gmw/en-GB-x-rp+Gene", 50, 165),
    Voice("jacky", "gmw/en-US+Jacky", 50, 170),
)
