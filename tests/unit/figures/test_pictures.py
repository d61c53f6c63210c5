"""The paper's pictures of pruned patches: which traces each number shows, mapped by kind of task."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from matplotlib.colors import to_hex

from audioprune.config.file import load
from audioprune.exhibits import named, pictures, style
from audioprune.figures import kept_patches
from audioprune.planning.stages import Planner
from audioprune.planning.study import study_of
from audioprune.results.study import Results
from tests.fakes.ablations import ablations
from tests.fakes.studies import shared
from tests.unit.figures.pixels import seen

SHOWN = {  # number -> (backbone, dataset, keep-rate) of its traces in the made-up study
    "figure12": {("audiomae-tiny", "esc10", 0.5)},
    "figure16": {("audiomae-tiny", "fsdd-speakers", 0.5)},
    "figure17": {("audiomae-tiny", "fsdd-speakers", 0.7)},
    "figure18": {("audiomae-tiny", "birds", 0.5)},
    "figure19": {("audiomae-tiny", "birds", 0.7)},
    "figure20": {("audiomae-tiny", "fsdd-digits", 0.5)},
    "figure21": {("audiomae-tiny", "esc10", 0.7), ("audiomae-tiny", "esc10", 0.5)},
    "figure22": {("ast-tiny", "esc10", 0.7), ("ast-tiny", "esc10", 0.5)},
    "figure23": {("ast-mp-tiny", "esc10", 0.7), ("ast-mp-tiny", "esc10", 0.5)},
}


def shown(name: str, study) -> set:
    found = [c for c in named.get("figure", name).needs(study) if c.kind == "trace"]
    return {(*where(c), c.settings.pruning.keep_rate) for c in found}


def where(cell) -> tuple[str, str]:
    tuned = cell.inputs["finetune"].settings
    return tuned.model.backbone, tuned.dataset


@pytest.mark.parametrize("name", SHOWN)
def test_a_number_shows_its_kind_of_data(name):
    assert shown(name, ablations()) == SHOWN[name]
    _, frame = named.get("figure", name).draw(ablations())
    drawn = frame[["backbone", "dataset", "keep_rate"]].itertuples(index=False, name=None)
    assert set(drawn) == SHOWN[name]


def test_the_class_tokens_score_is_shown_by_its_own_number_alone():
    trace, *_ = named.get("figure", "figure12").needs(ablations())
    assert trace.settings.pruning.options == {"score": "cls"}
    assert set(named.get("figure", "figure12").draw(ablations())[1]["score"]) == {"cls"}
    others = [c for name in SHOWN if name != "figure12" for c in named.get("figure", name).needs(ablations())]
    assert all(c.settings.pruning.options == {} for c in [*others, *named.get("figure", "figure2").needs(ablations())])


def test_figure12_takes_the_traced_rate_nearest_to_the_papers():
    assert study_of(Planner(load()), "mini-full").cells("trace")
    assert {c[2] for c in shown("figure12", study_of(Planner(load()), "mini-full"))} == {0.7, 0.5}


def test_the_papers_study_shows_the_papers_data():
    study = study_of(Planner(load()), "paper")
    assert shown("figure16", study) == {("audiomae-b", "voxceleb1", 0.5)}
    assert shown("figure19", study) == {("audiomae-b", "as20k", 0.7)}
    assert shown("figure20", study) == {("audiomae-b", "spc2", 0.5)}
    assert shown("figure12", study) == {("audiomae-b", "esc50", 0.7), ("audiomae-b", "spc2", 0.5)}
    assert shown("figure22", study) == {("ast-b", d, r) for d in ("esc50", "spc2") for r in (0.9, 0.7, 0.5)}
    assert shown("figure23", study) == {("ast-mp-b", d, r) for d in ("esc50", "spc2") for r in (0.9, 0.7, 0.5)}


def test_one_fold_and_seed_is_enough():
    study = study_of(Planner(load()), "paper")
    assert all(c.inputs["finetune"].settings.fold == 1 for c in named.get("figure", "figure21").needs(study))
    assert [c.kind for c in named.get("figure", "figure21").needs(study)] == ["trace"] * 2 + ["evaluate"] * 2


def test_the_same_clips_at_every_keep_rate():
    fig, frame = named.get("figure", "figure22").draw(ablations())
    by_rate = frame.groupby("keep_rate")["clip"].unique()
    assert list(by_rate[0.7]) == list(by_rate[0.5]) == ["clip0", "clip1", "clip2"]
    assert len(fig.axes) == kept_patches.ROWS * 4  # the input and three pruning blocks
    counts = frame.groupby(["keep_rate", "clip", "block"]).size()
    assert [counts[0.7, "clip0", block] for block in (3, 6, 9)] == [180, 126, 89]
    assert [counts[0.5, "clip0", block] for block in (3, 6, 9)] == [128, 64, 32]


def test_panels_are_the_input_and_then_the_kept_patches():
    fig, frame = named.get("figure", "figure18").draw(ablations())
    source, *after = (seen(ax).astype(int) for ax in fig.axes[:4])
    titles = [ax.get_title() for ax in fig.axes[:4]]
    assert titles == ["input: 64 patches", "after block 3: 32", "after block 6: 16", "after block 9: 8"]
    for block, picture in zip((3, 6, 9), after, strict=True):
        bright = np.zeros((128, 128), dtype=bool)
        for one in frame[(frame["clip"] == "clip0") & (frame["block"] == block)].itertuples():
            bright[one.freq_index * 16 : one.freq_index * 16 + 16, one.time_index * 16 : one.time_index * 16 + 16] = (
                True
            )
        assert (picture[bright] == source[bright]).all()
        assert (picture[~bright] == pictures.BLANK).all()


def test_a_trace_that_was_not_run_says_why(tmp_path):
    trace, *_ = named.get("figure", "figure16").needs(ablations())
    lost = Results("mini", [trace], ablations().dataset)
    lost.cells("trace")[0].__dict__["_read"] = ({}, "no space was left")
    fig, frame = named.get("figure", "figure16").draw(lost)
    assert frame.empty
    assert fig.texts[0].get_text() == "not run: no space was left"


def test_a_long_list_of_labels_is_cut():
    assert pictures._short("a, " * 40) == "a, " * 16 + "a…"
    assert pictures._short("short") == "short"


# --- where the sound is, and what is said of it ---

# 0.1 to 0.5 s and 500 to 2000 Hz by hand: frames 8.75 to 48.75 lie in columns 0 to 3; on the mel scale (607.4 to
# 1521.4, of 31.7 to 2840.0 in 129 steps of 21.77) bins 25.4 to 67.4 lie in bands 1 to 4
KNOWN = {(t, f) for t in range(4) for f in range(1, 5)}


@cache
def esc10():
    fig, frame = named.get("figure", "figure2").draw(shared())
    return fig, frame


def test_the_patches_into_which_the_generator_put_sound_are_told_apart():
    _, frame = esc10()
    own = frame[frame["dataset"] == "esc10"]
    assert len(own)
    assert set(zip(own["time_index"], own["freq_index"], strict=True)) & KNOWN
    assert all(row.signal == ((row.time_index, row.freq_index) in KNOWN) for row in own.itertuples())
    assert frame.loc[frame["dataset"] != "esc10", "signal"].isna().all()


def test_the_outline_goes_round_them():
    fig, _ = esc10()
    lines = [[patch for patch in ax.patches if to_hex(patch.get_edgecolor()) != style.ON_DARK] for ax in fig.axes]
    with_outline = [own for own in lines if own]
    assert 0 < len(with_outline) < len(lines)  # one dataset says where its sound is
    for (line,) in with_outline:
        ends = line.get_path().vertices
        assert (ends.min(axis=0).tolist(), ends.max(axis=0).tolist()) == ([0, 16], [0.64, 80])
        assert len(ends) == 2 * 2 * (4 + 4)  # 16 edges of a rectangle of four by four patches


def test_an_outline_has_the_edges_that_have_the_set_on_one_side_alone():
    grid = np.zeros((3, 4), dtype=bool)
    grid[1, 1] = grid[1, 2] = True  # two patches, one above the other
    edges = {tuple(map(tuple, edge)) for edge in pictures.outlined(grid, 16, 16).tolist()}
    assert edges == {
        ((16, 16), (16, 32)), ((32, 16), (32, 32)), ((16, 16), (32, 16)),
        ((16, 32), (16, 48)), ((32, 32), (32, 48)), ((16, 48), (32, 48)),
    }  # fmt: skip


def test_what_a_model_says_is_marked_right_or_wrong():
    fig, frame = esc10()
    told = frame.groupby(["backbone", "dataset", "clip"])[["said", "right"]].first()
    assert set(told["right"]) == {True, False}
    for (backbone, dataset, clip), one in told.iterrows():
        (evaluated,) = shared().cells(
            "evaluate", backbone=backbone, dataset=dataset, method="topk", keep_rate=0.5, fold=1, perturbation="none"
        )
        own = evaluated.predictions().set_index("clip").loc[clip]
        classes, best = shared().dataset(dataset).classes, int(np.argmax(own["scores"]))
        assert (one["said"], one["right"]) == (classes[best], best in own["labels"])
    texts = [text.get_text() for text in fig.texts]
    for one in told.itertuples():
        assert f"says {one.said}: {'right' if one.right else 'wrong'}" in texts
