"""The test set test-clean of LibriSpeech (Panayotov et al. 2015) alone: read sentences with transcripts, clear."""

from __future__ import annotations

from audioprune.datasets._librispeech import TestSet

SET = TestSet("librispeech-clean", "test-clean")
FACTS = SET.facts(2_620, 5.4)
switches, clips = SET.switches, SET.clips
