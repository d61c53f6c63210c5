"""The half-width that `audioprune plan` expects of a contrast's interval, against the one that a report would show."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from audioprune.cli.main import main
from audioprune.config.file import load
from audioprune.planning import power
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from audioprune.statistics.bootstrap import contrast, draw
from audioprune.statistics.intervals import quantiles
from tests import REPOSITORY


def predictions(right: np.ndarray) -> pd.DataFrame:
    """Answers on clips of their own recordings, right where told."""
    n = len(right)
    scores = np.stack([right, ~right], axis=1).astype(np.float32)
    names = [f"c{i}" for i in range(n)]
    labels = [[0]] * n
    return pd.DataFrame({"clip": names, "recording": names, "labels": labels, "scores": [*scores], "seed": 0})


@pytest.mark.parametrize(("clips", "changed"), [(160, 10), (400, 24), (2000, 120)])
def test_it_is_the_interval_that_a_report_shows(clips, changed):
    """As many clips lost as gained: a difference of zero with six in a hundred discordant."""
    order = np.arange(clips)
    first, second = order >= changed // 2, (order < changed // 2) | (order >= changed)
    sides = [draw(predictions(one), "top1", draws=4000) for one in (first, second)]
    low, high = (100 * end for end in quantiles(contrast((1, sides[0]), (-1, sides[1])), (0.025, 0.975)))
    assert power.half_width(clips, 1, changed / clips) == pytest.approx((high - low) / 2, rel=0.05)


def test_by_hand():
    assert power.half_width(2000, 1, 0.06) == pytest.approx(1.085, abs=0.001)  # 196 sqrt(120 + 3) / 2003
    assert power.half_width(160, 1, 0.06) == pytest.approx(4.27, abs=0.01)
    assert power.half_width(2000, 5, 0.06) == pytest.approx(0.508, abs=0.001)  # 196 sqrt(24 + 3) / 2003
    assert power.half_width(2000, 1, 0.06, terms=4) == pytest.approx(1.099, abs=0.001)  # 196 sqrt(120 + 6) / 2003


def planned(study: str):
    return study_of(Planner(load()), study)


def test_every_contrast_of_a_study():
    found = power.expected(planned("demo"), lambda _: False)
    assert {one.kind for one in found} >= {power.DROP, power.DECLARED, power.LENGTH}
    assert {(one.discordance, one.measured) for one in found} == {(0.06, False)}
    assert not [one for one in found if one.dataset == "demo-mixtures"]  # mAP counts no clips
    (drop,) = [one for one in found if (one.kind, one.backbone, one.dataset) == (power.DROP, "ast-tiny", "demo-words")]
    assert (drop.contrast, drop.seeds) == ("unpruned − topk-kr0.5", 1)
    assert drop.clips == Planner(load()).facts("demo-words").test_clips


def test_discordance_is_measured_where_both_sides_are_made(tmp_path, monkeypatch):
    plan = planned("demo")
    monkeypatch.chdir(tmp_path)
    ends = ("none-kr1/fold1-seed0/eval-none-kr1/last", "topk-kr0.5/fold1-seed0/eval-topk-kr0.5/last")
    asked = plan.cells("evaluate", backbone="ast-tiny", dataset="demo-words", selection="last")
    both = [cell for cell in asked if cell.address.endswith(ends)]
    assert len(both) == 2
    for cell, wrong in zip(both, (slice(0, 10), slice(5, 20)), strict=True):
        right = np.ones(100, dtype=bool)
        right[wrong] = False
        cell.dir.mkdir(parents=True)
        predictions(right).to_parquet(cell.dir / "predictions.parquet")
    paths = {cell.path for cell in both}
    found = power.expected(plan, lambda cell: cell.path in paths)
    measured = [one for one in found if one.measured]
    assert {(one.backbone, one.dataset, one.discordance) for one in measured} == {("ast-tiny", "demo-words", 0.15)}
    assert all("assumed" not in row[6] for row in power.told(measured))
    assert {row[6] for row in power.told(measured)} == {"15.0 %"}


def test_the_command_says_it_of_a_study_and_not_of_a_table(capsys, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert main(["plan", "demo", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["power"]
    assert told
    assert all(one["half_width"] > 0 for one in told)
    assert main(["plan", "results/demo/table1.tex", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["power"] == []
