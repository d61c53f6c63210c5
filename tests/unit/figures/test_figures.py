"""Figures on the fake study: their data equal what the cells hold, patches lie where the backbone has them."""

from __future__ import annotations

from functools import cache
from unittest import mock

import numpy as np
import pytest

from audioprune.exhibits import named, pictures, style
from audioprune.exhibits.figure_files import draw_figure
from audioprune.figures import accuracy_macs, training_curves
from audioprune.results.evaluations import tidy
from audioprune.results.study import Results
from tests.fakes.ablations import ablations
from tests.fakes.lengths import lengths
from tests.fakes.noise import noisy
from tests.fakes.speech import speech
from tests.fakes.studies import SKILL, fake_study, shared, spectrograms
from tests.fakes.tokens import token_study
from tests.unit.figures.pixels import seen

FIGURES = named.names("figure")
FIGURE2 = named.get("figure", "figure2")


@cache
def drawn(module, results):
    return draw_figure(module, results)


def test_kept_pixels_are_those_under_kept_patches():
    mask = pictures.kept_pixels((64, 128), [(0, 1), (3, 7)], 16, 16)
    assert mask.sum() == 2 * 256
    assert mask[0:16, 16:32].all()
    assert mask[48:64, 112:128].all()
    overlapping = pictures.kept_pixels((64, 128), [(0, 0), (1, 0)], 16, 10)
    assert overlapping[:26, :16].all()
    assert overlapping.sum() == 26 * 16


def test_figure2_shows_the_same_clip_in_each_backbones_own_order():
    _, frame = drawn(FIGURE2, shared())
    assert set(frame["keep_rate"]) == {0.5}
    for backbone, freq_major in (("audiomae-tiny", False), ("ast-tiny", True)):
        own = frame[(frame["backbone"] == backbone) & (frame["dataset"] == "esc10")]
        assert own["clip"].unique().tolist() == ["clip0", "clip1"]  # as for the other backbone
        own = own[own["clip"] == "clip0"]
        (trace,) = shared().cells("trace", backbone=backbone, dataset="esc10", keep_rate=0.5)
        with np.load(trace.dir / "trace.npz") as saved:
            for block in (3, 6, 9):
                at = own[own["block"] == block]
                assert sorted(at["token"]) == sorted(saved[f"kept_{block}"][0].tolist())
        time, freq = own["token"] % 32, own["token"] // 32
        if not freq_major:
            time, freq = own["token"] // 8, own["token"] % 8
        assert (own["time_index"] == time).all()
        assert (own["freq_index"] == freq).all()


def test_figure2_pictures_run_right_and_up():
    """The fake tone rises: bright at the lower left and the upper right of every picture, dark where patches went."""
    fig, _ = drawn(FIGURE2, shared())
    first = fig.axes[0].images[0]
    picture = first.get_array().sum(axis=2)  # (mel, time) rows from below
    assert first.origin == "lower"
    assert first.get_extent() == [0, 0.64, 0, 128]
    assert abs(int(picture[:, :4].mean(axis=1).argmax()) - 0.16 * 128) < 6
    assert abs(int(picture[:, -4:].mean(axis=1).argmax()) - 0.73 * 128) < 6
    pruned = seen(fig.axes[3]).sum(axis=2)
    assert np.mean(pruned == picture) == pytest.approx(4 / 32, abs=0.02)


def test_figure2_pictures_come_from_the_features():
    (trace,) = shared().cells("trace", backbone="ast-tiny", dataset="birds", keep_rate=0.5)
    one = pictures.picture(trace, trace.frame(), "clip3", shared().dataset("birds"), None)
    assert np.allclose(one["x"], spectrograms(12, 128)[3] * 10 / np.log(10), atol=1e-4)
    assert {block: len(tokens) for block, tokens in one["kept"].items()} == {3: 32, 6: 16, 9: 8}


def test_figure2_leaves_prefix_tokens_out(tmp_path):
    results = fake_study(tmp_path)
    (trace,) = results.cells("trace", backbone="ast-tiny", dataset="birds", keep_rate=0.5)
    with np.load(trace.dir / "trace.npz") as saved:
        arrays = {key: saved[key].copy() for key in saved.files}
    arrays["kept_3"][3, :2] = -1
    np.savez(trace.dir / "trace.npz", **arrays)
    one = pictures.picture(trace, trace.frame(), "clip3", results.dataset("birds"), None)
    assert one["kept"][3].tolist() == arrays["kept_3"][3, 2:].tolist()


def test_accuracy_macs_shows_the_pooled_evaluations():
    fig, frame = drawn(accuracy_macs, shared())
    pooled = tidy(shared())
    for row in frame.itertuples():
        at = pooled[(pooled["selection"] == "last") & (pooled["perturbation"] == "none")]
        same = (
            at[["backbone", "dataset", "method", "keep_rate"]] == [row.backbone, row.dataset, row.method, row.keep_rate]
        ).all(axis=1)
        (other,) = at[same].itertuples()
        assert (row.value, row.low, row.high) == (other.value, other.low, other.high)
    titles = [ax.get_title(loc="left") for ax in fig.axes if ax.get_visible()]
    assert titles == ["FSDD Digits\nTopK", "FSDD Digits\nrandom", "ESC-10\nTopK", "birds\nTopK", "SPC-2\nTopK"]
    assert frame[frame["dataset"] == "spc2"]["keep_rate"].tolist() == [1.0, 0.7]  # 0.5 was not run


def test_accuracy_macs_draws_each_method_from_the_unpruned_model():
    fig, frame = drawn(accuracy_macs, shared())
    own = frame[(frame["dataset"] == "fsdd-digits") & (frame["backbone"] == "audiomae-tiny")]
    for ax, method in zip(fig.axes, ("topk", "random"), strict=False):
        shown = own[own["method"].isin(["none", method])]
        line = next(c.lines[0] for c in ax.containers if c.get_label() == "audiomae-tiny")
        assert line.get_xdata().tolist() == (1000 * shown["gmacs"]).tolist()
        assert line.get_ydata().tolist() == shown["value"].tolist()
    assert fig.axes[0].get_xlabel() == "MACs of one clip (M)"
    assert fig.axes[0].get_ylabel() == "top-1 accuracy (%)"


def test_training_curves_average_folds():
    fig, frame = drawn(training_curves, shared())
    assert len(frame) == 6 * sum(r.ok for r in shared().cells("finetune"))
    own = frame[(frame["dataset"] == "esc10") & (frame["backbone"] == "ast-tiny") & (frame["keep_rate"] == 0.5)]
    assert own["fold"].nunique() == 2
    assert own[own["epoch"] == 5]["test_metric"].tolist() == [100 * SKILL[0.5]] * 2
    _, metric = [ax for ax in fig.axes if ax.get_title(loc="left") == "ESC-10"]
    assert 100 * SKILL[0.5] in {round(line.get_ydata()[-1], 6) for line in metric.lines}
    assert len(metric.lines) == 6  # two backbones, three keep-rates
    (rates,) = [ax for ax in fig.axes if ax.get_ylabel() == "keep-rate"]  # one for all
    assert rates.lines[0].get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    assert {line.get_ydata()[-1] for line in rates.lines} == {1.0, 0.7, 0.5}


@pytest.mark.parametrize("name", [one for one in FIGURES if not hasattr(named.get("figure", one), "STANDALONE")])
def test_nothing_to_show_is_said(name):
    fig, frame = drawn(named.get("figure", name), Results("empty", [], shared().dataset))
    assert frame.empty
    assert fig.texts[0].get_text().startswith("not run: the study ")


@pytest.mark.parametrize("name", FIGURES)
def test_no_label_is_cut_off(name):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    module = named.get("figure", name)
    studies = (shared(), ablations(), token_study(), speech(), noisy(), lengths())
    fig, _ = drawn(module, next(study for study in studies if module.needs(study) or hasattr(module, "STANDALONE")))
    with style.style():
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        box, page = fig.get_tightbbox(canvas.get_renderer()), fig.get_size_inches()
    assert box.x0 >= -0.01
    assert box.y0 >= -0.01
    assert box.x1 <= page[0] + 0.01
    assert box.y1 <= page[1] + 0.01


def test_rate_colours_are_told_apart_and_dark_enough_on_white():
    colours = style.rate_colours([1.0, 0.9, 0.7, 0.5, 0.3])
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b, _ in colours.values()]
    assert list(colours) == [1.0, 0.9, 0.7, 0.5, 0.3]
    assert light == sorted(light)
    assert min(np.diff(light)) > 0.08
    assert max(light) < 0.8


def test_a_name_with_dollars_is_no_formula():
    with style.style():
        fig = style.empty("costs $5 and $x^2$ {")
    assert not fig.texts[0].get_parse_math()
    assert b"<svg" in style.svg(fig)


def test_a_figure_that_is_laid_out_is_drawn_once_when_it_is_saved():
    fig, _ = draw_figure(accuracy_macs, shared())
    draw = mock.Mock(wraps=fig.patch.draw)
    with mock.patch.object(fig.patch, "draw", draw):
        once = style.svg(fig)
    assert draw.call_count == 1
    assert style.svg(fig) == once
