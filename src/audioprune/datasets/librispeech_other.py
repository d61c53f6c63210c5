"""The test set test-other of LibriSpeech (Panayotov et al. 2015) alone: read sentences with transcripts, less clear."""

from __future__ import annotations

from audioprune.datasets._librispeech import TestSet

SET = TestSet("librispeech-other", "test-other")
FACTS = SET.facts(2_939, 5.1)
switches, clips = SET.switches, SET.clips
