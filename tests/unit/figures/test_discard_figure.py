"""The figure of discarded clusters on a made-up study: its data are recomputed here from the clips."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audioprune import registry
from audioprune.figures import discard
from audioprune.results import discards
from audioprune.results.estimate import Estimate, combined
from audioprune.results.study import Results
from audioprune.statistics.bootstrap import contrast
from audioprune.statistics.metrics import average_precision
from tests.fakes.ablations import BLOCKS, ablations


@pytest.fixture(scope="module")
def frame():
    return discards.points(ablations())


def clips(backbone: str, dataset: str, one: str, control: bool, block: int, baseline: str = "matched"):
    for r in ablations().cells("discard", backbone=backbone, dataset=dataset):
        own = r.frame()
        if r.inputs["finetune"].settings.augment.baseline == baseline:
            yield own[(own["discarded"] == one) & (own["control"] == control) & (own["block"] == block)]


def at(frame, backbone: str, dataset: str, one: str, control: bool, block: int):
    wanted = dict(zip(discards.WHERE, (backbone, dataset, one, control, block), strict=True))
    found = frame
    for column, value in wanted.items():
        found = found[found[column] == value]
    (row,) = found.itertuples()
    return row


def test_every_block_set_and_control_is_there_once(frame):
    assert len(frame) == 4 * 2 * 2 * len(BLOCKS)
    assert not frame.duplicated(list(discards.WHERE)).any()


@pytest.mark.parametrize("control", [False, True])
@pytest.mark.parametrize("block", BLOCKS)
def test_clips_without_a_patch_are_wrong_and_skipped(frame, control, block):
    row = at(frame, "audiomae-tiny", "esc10", "C1C2", control, block)
    wrong, skipped, n, left = [], [], 0, 0
    for own in clips("audiomae-tiny", "esc10", "C1C2", control, block):
        wrong.append(np.mean(own["correct"] & ~own["no_patch_left"]))
        skipped.append(np.mean(own["correct"][~own["no_patch_left"]]))
        n, left = n + len(own), left + int((~own["no_patch_left"]).sum())
    assert len(wrong) == 2  # folds; the other baseline is not mixed in
    assert row.value == pytest.approx(100 * np.mean(wrong))
    assert row.value_skipped == pytest.approx(100 * np.mean(skipped))
    assert (row.n, row.n_skipped) == (n, left) == (160, 144 if block == 0 else 160)
    assert row.low < row.value < row.high


def test_clips_without_a_patch_of_an_map_are_last_in_every_class(frame):
    row = at(frame, "audiomae-tiny", "birds", "C1C2", False, 0)
    (own,) = clips("audiomae-tiny", "birds", "C1C2", False, 0)
    scores, labels = np.stack(list(own["scores"])), list(own["labels"])
    scores[own["no_patch_left"].to_numpy()] = -99
    truth = np.array([[c in one for c in range(scores.shape[1])] for one in labels])
    assert row.value == pytest.approx(100 * average_precision(scores, truth).mean())
    assert row.value < row.value_skipped


def test_the_difference_from_the_control_is_paired(frame):
    row = at(frame, "ast-tiny", "esc10", "C4C5", False, 3)
    control = at(frame, "ast-tiny", "esc10", "C4C5", True, 3)
    assert row.below_control == pytest.approx(control.value - row.value)
    assert row.below_control_low < row.below_control < row.below_control_high
    assert np.isnan(control.below_control)


def test_one_recipe_for_each_backbone_and_dataset():
    found = [c for c in discard.needs(ablations()) if c.kind == "discard"]
    assert {c.inputs["finetune"].settings.augment.baseline for c in found} == {"matched"}
    plain = [c for c in discard.needs(ablations()) if c.kind == "evaluate"]
    assert {c.inputs["finetune"].path for c in plain} == {c.inputs["finetune"].path for c in found}


def test_panels_hold_a_row_for_each_block_backbone_and_control(frame):
    fig, _ = discard.draw(ablations())
    assert [ax.get_title(loc="left") for ax in fig.axes][:2] == [
        "esc10, without C1 and C2 (low intensity)",
        "esc10, without C4 and C5 (high intensity)",
    ]
    own = frame[(frame["backbone"] == "audiomae-tiny") & (frame["dataset"] == "esc10") & (frame["discarded"] == "C1C2")]
    curves = [c.lines[0].get_xdata().tolist() for c in fig.axes[0].containers]
    assert own[~own["control"]]["value"].tolist() in curves
    assert own[own["control"]]["value"].tolist() in curves
    assert fig.axes[0].get_xlim() == fig.axes[1].get_xlim()
    rows = [y for c in fig.axes[0].containers for y in c.lines[0].get_ydata().tolist()]
    assert len(set(rows)) == len(rows) == len(frame[(frame["dataset"] == "esc10") & (frame["discarded"] == "C1C2")])
    legend = [text.get_text() for text in fig.legends[0].get_texts()]
    assert (discard.SKIPPED in legend) == (frame["n_skipped"] < frame["n"]).any()


def test_what_was_not_run_says_why():
    cell = next(c for c in ablations().cells("discard"))
    lost = Results("mini", [cell], ablations().dataset)
    lost.cells("discard")[0].__dict__["_read"] = ({}, "no clusters were made")
    fig, frame = discard.draw(lost)
    assert frame.empty
    assert fig.texts[0].get_text() == "not run: no clusters were made"


def test_where_no_clip_changes_an_interval_is_left():
    """40 clips, all right: of 43 with 41.5 right; and for a difference of two such, 3 of 43 more that change."""
    clips = pd.DataFrame(
        {"clip": [f"c{i}" for i in range(40)], "recording": "", "correct": True, "no_patch_left": False}
    )
    drawn = [contrast((100, discards._drawn(registry.dataset("esc10"), clips))) for _ in range(2)]
    found = [Estimate(100.0, one, 40, 1, 1) for one in drawn]
    low = 100 * (41.5 / 43 - 1.959964 * (41.5 * 1.5 / 43**3) ** 0.5)
    assert found[0].interval == pytest.approx((low, 100.0))
    width = 100 * 1.959964 * 3**0.5 / 43
    assert combined((1, found[0]), (-1, found[1])).interval == pytest.approx((-width, width))
