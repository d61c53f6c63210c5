"""The clip explorer's data: a clip is heard, seen and answered as its cells say, and only what may be heard is."""

from __future__ import annotations

import base64
import io
import json
from functools import cache

import matplotlib as mpl
import numpy as np
import soundfile
from matplotlib.image import imread
from scipy.special import expit, softmax

from audioprune.audio.store import WaveformStore
from audioprune.config.design import Reporting
from audioprune.config.file import load
from audioprune.planning.exhibits import credits
from audioprune.planning.plan import Plan
from audioprune.planning.study import StudyPlan
from audioprune.reporting import clip_answers, clip_credits, clip_picture, clip_sound, clips
from audioprune.settings.data import AudioSettings, FetchSettings, UserFolder
from audioprune.settings.exhibits import Credit
from audioprune.sources import catalogue
from tests.fakes.studies import HOSTILE, Study, shared

MAY = {name: Credit(dataset=name, text="Its makers, CC0") for name in ("fsdd-digits", "esc10")}  # and birds not


@cache
def gathered() -> clips.Clips:
    return clips.gather(shared(), MAY)


SHOWN = {"fsdd-digits": "FSDD Digits", "esc10": "ESC-10", "birds": "birds"}


def of(dataset: str) -> list[clips.Clip]:
    return [one for one in gathered().clips if one.dataset == SHOWN[dataset]]


# --- which clips ---


def test_clips_are_few_of_every_dataset_and_of_each_class_one_before_a_second():
    assert [len(of(name)) for name in ("fsdd-digits", "esc10", "birds")] == [8, 8, 8]  # 24 in all
    assert [one.label for one in of("fsdd-digits")] == ["zero", "one", "two", "three", "four", "five", "six", "seven"]
    assert len({one.label for one in of("birds")[:4]}) == 4


def test_every_clip_has_an_answer_of_every_model_that_was_traced_on_it():
    for one in gathered().clips:
        arms = [gathered().arms[answer.arm] for answer in one.answers]
        assert {arm.dataset for arm in arms} == {one.dataset}
        assert {(arm.backbone, arm.keep_rate) for arm in arms} == {
            (backbone, rate) for backbone in ("AudioMAE-Tiny", "AST-Tiny") for rate in ("0.7", "0.5")
        }
        assert {arm.stages for arm in arms} == {("input", "after block 3", "after block 6", "after block 9")}


# --- what is kept ---


def bits(text: str, time: int, freq: int) -> np.ndarray:
    """(time, freq) bool, bit by bit."""
    held = base64.b64decode(text)
    flat = [held[i // 8] >> 7 - i % 8 & 1 for i in range(time * freq)]
    return np.array(flat, dtype=bool).reshape(time, freq)


def test_masks_are_the_kept_patches_of_the_trace_in_the_order_of_each_family():
    one = of("fsdd-digits")[3]
    for answer in one.answers:
        arm = gathered().arms[answer.arm]
        (trace,) = [r for r in shared().cells("trace") if f"cell-{r.key}" == arm.anchor]
        with np.load(trace.dir / "trace.npz") as saved:
            for block, text in zip((3, 6, 9), answer.masks, strict=True):
                tokens = saved[f"kept_{block}"][3].astype(int)
                places = divmod(tokens, one.freq) if arm.backbone == "AudioMAE-Tiny" else divmod(tokens, one.time)[::-1]
                wanted = np.zeros((one.time, one.freq), dtype=bool)
                wanted[places] = True
                assert np.array_equal(bits(text, one.time, one.freq), wanted)
        assert answer.kept == tuple(int(bits(text, one.time, one.freq).sum()) for text in answer.masks)


def test_padding_begins_behind_the_clip_and_ground_truth_is_where_sound_is_known_to_be():
    """98 frames of 16 to a patch: 6 columns and a bit, so the eighth is the first that is padding."""
    sound, word = of("esc10")[0], of("fsdd-digits")[0]
    assert (sound.time, sound.padding) == (32, 7)
    assert (word.time, word.padding) == (4, 4)  # 64 frames: cut, not padded
    assert word.signal == ""
    grid = bits(sound.signal, sound.time, sound.freq)
    assert grid.any(axis=1).nonzero()[0].tolist() == [0, 1, 2, 3]  # 0.1 s to 0.5 s: frames 9 to 49
    assert not grid[:, -1].any()  # up to 2 kHz
    assert not grid[sound.padding :].any()


# --- what is said ---


def test_what_a_model_says_are_its_scores_as_probabilities():
    scores = np.array([0.5, -1.0, 3.0])
    assert np.allclose(clip_answers.probabilities(scores, several=False), softmax(scores))
    assert np.allclose(clip_answers.probabilities(scores, several=True), expit(scores))
    for dataset, one in ((name, one) for name in ("fsdd-digits", "esc10") for one in of(name)):
        for answer in one.answers:
            arm = gathered().arms[answer.arm]
            wanted = {
                "dataset": dataset,
                "backbone": arm.backbone.lower(),
                "method": "topk",
                "keep_rate": float(arm.keep_rate),
            }
            evaluated = next(r for r in shared().cells("evaluate", **wanted, perturbation="none", fold=1))
            frame = evaluated.predictions().set_index("clip").loc[one.name]
            best = int(np.argmax(frame["scores"]))
            classes = shared().dataset(dataset).classes
            assert answer.said == f"{classes[best]} ({100 * softmax(frame['scores'])[best]:.0f}\u00a0%)"
            assert answer.right == (best == frame["labels"][0])


def test_a_clip_of_several_labels_gets_as_many_answers():
    for one in of("birds"):
        assert all(answer.said.count("%)") in (1, 2) for answer in one.answers)


def test_data_hold_no_markup_whatever_a_class_is_called():
    assert "<" not in gathered().data
    held = json.loads(gathered().data)
    assert len(held["clips"]) == 24
    assert not {"picture", "sound", "credit"} & held["clips"][0].keys()
    assert any(one["label"] == HOSTILE[0] for one in held["clips"])


# --- what is seen ---


def test_a_picture_has_time_to_the_right_and_frequency_up():
    x = np.full((300, 128), -8.0)
    x[200:, :20] = 2.0  # late and low
    seen = imread(io.BytesIO(clip_picture.picture(x)), format="webp")[..., :3] / 255
    assert seen.shape[:2] == (128, 150)  # two frames to a column
    bright = seen.sum(axis=2) > 1.5
    assert bright[-19:, 101:].all()
    assert abs(bright.sum() - 20 * 50) <= 20 + 50  # its edge is lossy


def test_its_colours_are_viridis_and_it_is_small():
    x = np.linspace(0, 1, 256)[:, None].repeat(128, axis=1)
    held = clip_picture.picture(x)
    own = imread(io.BytesIO(held), format="webp")[..., :3] / 255
    low, high = clip_picture.RANGE[0] / 100, clip_picture.RANGE[1] / 100
    known = mpl.colormaps["viridis"](np.clip((x.T - low) / (high - low), 0, 1))[..., :3]
    assert np.abs(own - known).max() < 0.08
    assert len(held) < 1000
    assert max(len(one.picture) for one in gathered().clips) < 4000


def test_frequencies_stand_where_the_mel_scale_has_them():
    """1000 Hz is 1000 mel, and 8 kHz 2840 mel, by the scale's definition."""
    places = dict(clip_picture.axis())
    assert places["8"] == 1
    assert abs(places["1"] - (1000 - 31.7) / (2840.0 - 31.7)) < 1e-3


def test_the_picture_of_a_tone_is_a_line_at_its_frequency():
    x = clip_picture.log_mel(np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000))
    share = dict(clip_picture.axis())["1"]
    assert x.shape == (98, 128)
    assert abs(int(x.mean(axis=0).argmax()) - share * 129) < 2


# --- what is heard ---


def test_sound_is_the_clip_and_the_same_bytes_each_time():
    one = of("fsdd-digits")[2]
    held = base64.b64decode(one.sound)
    heard, rate = soundfile.read(io.BytesIO(held))
    (audio,) = shared().cells("audio", dataset="fsdd-digits")
    meant = WaveformStore.open(audio.dir).waveform(2)[: len(heard)]
    assert rate == 16000
    assert len(heard) == 64 * 160  # as long as what the model sees
    assert np.corrcoef(heard, meant)[0, 1] > 0.97
    assert len(held) < 2500  # of 0.64 s
    assert [other.sound for other in clips.gather(shared(), MAY).clips] == [other.sound for other in gathered().clips]


def test_checksums_of_pages_are_those_that_libsndfile_writes():
    out = io.BytesIO()
    soundfile.write(out, np.zeros(16000), 16000, format="OGG", subtype="OPUS")
    stream, place, pages = out.getvalue(), 0, 0
    while place < len(stream):
        segments = stream[place + 26]
        length = 27 + segments + sum(stream[place + 27 : place + 27 + segments])
        page = stream[place : place + length]
        assert clip_sound.checksum(page[:22] + bytes(4) + page[26:]) == int.from_bytes(page[22:26], "little")
        place, pages = place + length, pages + 1
    assert pages >= 3
    assert clip_sound.numbered(stream, int.from_bytes(stream[14:18], "little")) == stream


def test_what_may_not_be_handed_on_is_not_heard_and_says_so():
    for one in of("birds"):
        assert one.sound == ""
        assert one.credit.startswith("Not played")
        assert one.picture
    assert all(one.sound and one.credit == "Its makers, CC0" for one in of("esc10"))


# --- whose it is ---

README = """
- **[1-100032-A.ogg](//x.org/1)**:    clip derived from [rose_bark.wav](//x.org/2) by *nfrae* ([CC0](//x.org/3))
- **[1-110389-A.ogg](//x.org/4)**:    clip derived from [a dog: barking.wav](//x.org/5) by *a.b* ([CC-BY](//x.org/6))
"""


def test_each_clip_is_credited_as_its_source_credits_it(tmp_path):
    made = Study(tmp_path)
    fetched = made.cell("fetch", "esc10", FetchSettings(source="esc10"))
    (fetched.dir / "files").mkdir()
    (fetched.dir / "files" / "README.md").write_text(README)
    audio = made.cell("audio", "esc10", AudioSettings(dataset="esc10"), data=fetched)
    credit = Credit(dataset="esc10", text="K. J. Piczak", each="README.md")
    assert clip_credits.credit_of(audio, "1-100032-A", credit) == (
        "clip derived from rose_bark.wav by nfrae (CC0). K. J. Piczak"
    )
    assert "a dog: barking.wav by a.b (CC-BY)" in clip_credits.credit_of(audio, "1-110389-A", credit)
    assert clip_credits.credit_of(audio, "1-10-A", credit) == "K. J. Piczak"


def test_what_may_be_played_is_said_by_licences_and_the_own_only_by_the_study():
    plan = Plan()
    assert {one.dataset for one in credits(plan.study("mini"))} == {"fsdd-digits", "esc10"}
    assert {one.dataset for one in credits(plan.study("paper"))} == {
        "spc2",
        "esc50",
    }  # voxceleb1 and as20k may not be handed on
    assert {one.text for one in credits(plan.study("demo"))} == {"Made by this project"}
    rows = catalogue.load()
    assert not [name for name, row in rows.items() if row.sound and "not to be redistributed" in row.licence]
    assert any("CC BY 3.0" in one.text for one in credits(plan.study("mini")) if one.dataset == "esc10")


def test_own_data_is_played_where_the_study_says_so():
    plan, user = Plan(), UserFolder(folder="/x", csv="/x.csv", task="keyword", classes=("a", "b"), frames=64)
    study = load().studies["mini"]
    for sound in (False, True):
        own = StudyPlan("mini", study.model_copy(update={"report": Reporting(sound=sound)}), plan.planner.facts)
        cell = plan.planner.cell("audio", "mine", AudioSettings(dataset="mine", user=user))
        own.dataset = lambda name: shared().dataset("fsdd-digits")
        own.all[cell.path] = cell
        assert ("mine" in {one.dataset for one in credits(own)}) == sound
