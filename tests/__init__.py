"""Tests; those of tests/unit lie in folders that mirror src/audioprune."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
