"""Names as a paper prints them, by hand; and what is typed stays as it is."""

from __future__ import annotations

import pytest

from audioprune import registry
from audioprune.exhibits import display


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("audiomae-b on spc2", "AudioMAE-B on SPC-2"),
        ("ast-mp-tiny", "AST-MP-Tiny"),
        ("topk", "TopK"),
        ("topk.cls", "TopK (class token)"),
        ("topk.cls.blocks1_4_7", "TopK (class token, blocks 1, 4, 7)"),
        ("off the shelf: tome.no-proportional.r5.", "off the shelf: ToMe (no proportional attention, r = 5)."),
        ("intensity.as_released", "intensity (as released)"),
        ("random", "random"),
        ("topk-kr0.5", "TopK at 0.5"),
        ("esc50, voxceleb1 and as20k", "ESC-50, VoxCeleb-1 and AS-20K"),
        ("demo-words: top-1", "Demo Words: top-1"),
        ("baseline=paper", "baseline as released"),
        ("base_lr=0.0005", "base learning rate 0.0005"),
        ("cls", "class token"),
        ("audiomae against ast on esc50", "AudioMAE against AST on ESC-50"),
        ("ast-tiny, topk by cls, on esc10", "AST-Tiny, TopK by class token, on ESC-10"),
        ("fast and ast-like", "fast and ast-like"),
        ("the cls token", "the cls token"),
    ],
)
def test_identifiers_are_printed_as_names(said, printed):
    assert display.text(said) == printed


@pytest.mark.parametrize(
    "said",
    [
        "needs checkpoint-audiomae-b: put the file at checkpoints.audiomae-b of config.yaml",
        "run: snakemake results/esc50/table1.tex",
        "`audioprune macs --backbone audiomae-b --dataset esc50`",
        "audioprune recipe audiomae-b esc50",
        "my-esc50 and esc50.csv",
        "stopk, topks",
        "birds",
    ],
)
def test_what_is_typed_and_other_words_stay(said):
    assert display.text(said) == said


def test_every_backbone_and_dataset_of_the_project_has_a_name_of_its_own():
    for kind, named in (("backbones", display.backbone), ("datasets", display.dataset)):
        printed = [named(name) for name in registry.names(kind)]
        assert len(set(printed)) == len(printed)
        assert all(name[0].isupper() for name in printed)
