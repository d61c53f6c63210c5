"""Speed on real clips: rounds, what is summed in them, MACs that ran and that were needed, and the table of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
import whisper

from audioprune.cells import provenance
from audioprune.config import checks as config_checks
from audioprune.config import design as config
from audioprune.errors import UserError
from audioprune.facts.recogniser import CTC
from audioprune.facts.units import Units
from audioprune.profiling import ctc_macs, pace, whisper_macs
from audioprune.profiling.batchings import arms_of, batches
from audioprune.recognisers import strips
from audioprune.results.paces import paces
from audioprune.settings.costs import PaceSettings
from audioprune.steps import _paced_whisper
from audioprune.steps import pace as step
from audioprune.steps._paced_ctc import PacedCtc
from audioprune.steps._paced_whisper import PacedWhisper
from audioprune.steps._run import Job
from audioprune.tables import pace as table
from tests.fakes.pace import timed
from tests.unit.steps.test_transcribe import SMALL
from tests.unit.steps.test_transcribe import audio as _audio
from tests.unit.steps.test_transcribe import checkpoint as _checkpoint

audio, checkpoint = _audio, _checkpoint
CPU = torch.device("cpu")


def settings(**more) -> PaceSettings:
    own = {"recogniser": SMALL.name, "dataset": "x", "policies": ("topk",), "keep_rates": (1.0, 0.5), "blocks": (1,)}
    return PaceSettings(**own | {"batchings": ("single", "padded"), "device": provenance.device()} | more)


class Spoken:
    """A model of ten samples a token, which remembers what it was asked; costs can be told apart by their digits."""

    def __init__(self):
        self.asked, self.heard = [], []

    def window(self, batching):
        return None

    def tokens(self, samples):
        return samples // 10

    def choose(self, policy, keep_rate):
        self.asked.append((policy, keep_rate))

    def features(self, waves, batching):
        self.heard.append((batching, len(waves)))
        return [len(wave) for wave in waves]

    def encode(self, features):
        return features

    def decode(self, encoded):
        return [one // 10 for one in encoded]

    def executed(self, clips, units):
        return 1000 * clips, 100 * clips * max(units)

    def useful(self, samples, units):
        return samples, units


def test_rounds_hold_every_arm_once_begin_with_another_and_sum_over_all_clips(monkeypatch):
    seconds = iter(range(10**6))
    monkeypatch.setattr(pace, "clock_of", lambda device: lambda work: (work(), float(next(seconds))))
    model, waves = Spoken(), [torch.zeros(n) for n in (20, 50, 30)]
    own = settings(keep_rates=(1.0, 0.5), batch_size=2)
    arms = arms_of(own)
    groups = {batching: batches(batching, [2, 5, 3], own) for batching in own.batchings}
    rows = pace.paced(
        model, waves, arms, groups, warmup=2, runs=3, precision="fp32", device=CPU, name="x"
    )  # fmt: skip
    assert len(arms) == 4
    assert model.asked == [arms[(turn + i) % 4][1:] for turn in range(-2, 3) for i in range(4)]
    assert {*model.heard} == {("single", 1), ("padded", 2), ("padded", 1)}  # each is told how its batch was made
    assert [(arm, run) for arm, run, _ in rows] == [(arms[(turn + i) % 4], turn) for turn in range(3) for i in range(4)]
    single = [spent for arm, _, spent in rows if arm == ("single", "none", 1.0)]
    assert {(one.units, one.encoder_macs, one.decoder_macs) for one in single} == {(10, 3000, 100 * (2 + 5 + 3))}
    assert {(one.useful_encoder_macs, one.useful_decoder_macs) for one in single} == {(100, 10)}
    (padded,) = {one.decoder_macs for arm, _, one in rows if arm.batching == "padded"}
    assert padded == sum(100 * len(b.clips) * max([2, 5, 3][i] for i in b.clips) for b in groups["padded"])
    first = rows[0][2]  # the clock says 0, 1, 2, ...: front end, encoder and decoder of three clips, one after another
    assert first.encoder_s - first.features_s == first.decoder_s - first.encoder_s == 3


@pytest.fixture
def model() -> whisper.Whisper:
    torch.manual_seed(0)
    return whisper.Whisper(whisper.ModelDimensions(80, 1500, 32, 2, 2, 51865, 448, 32, 2, 2)).eval()


def test_whisper_computes_the_tokens_that_its_macs_say(model, monkeypatch):
    monkeypatch.setattr(_paced_whisper, "UNITS", 3)
    subject = PacedWhisper(model, SMALL, settings())
    waves = [0.1 * torch.randn(16000), 0.1 * torch.randn(32000)]
    assert [subject.tokens(n) for n in (1, 320, 321, 16000, 10**6)] == [1, 1, 2, 50, 1500]
    for policy, rate, left in (("none", 1.0, 1500), ("topk", 0.5, 750), ("stride", 0.5, 750)):
        subject.choose(policy, rate)
        with torch.inference_mode():
            encoded = subject.encode(subject.features(waves, "padded"))
            units = subject.decode(encoded)
        assert encoded.shape == (2, left, 32)
        assert all(1 <= one <= 4 for one in units)
        scored = (1,) if policy == "topk" else ()
        encoder = whisper_macs.encoder(SMALL, [1500, 1500, left], scored=scored)
        assert subject.executed(2, [2, 4]) == (2 * encoder, 2 * whisper_macs.decoder(SMALL, left, 4))
        own = whisper_macs.encoder(SMALL, [50, 50, 50 * left // 1500], scored=scored)
        assert subject.useful(16000, 2) == (own, whisper_macs.decoder(SMALL, 50 * left // 1500, 2))
    assert torch.equal(encoded, model.encoder(subject.features(waves, "longest")))  # windows are always whole


def test_a_ctc_batch_costs_its_longest_and_a_clip_alone_itself():
    facts, units = CTC["strips-tiny"], Units("words", ("-", "a", "b"))
    made = strips.build(facts, units=3, strip=4, seed=0).eval()
    own = settings(recogniser=facts.name, blocks=facts.blocks, batchings=("single", "padded", "longest", "bucketed"))
    subject = PacedCtc(made, units, own, strips.put_in, longest=32000)
    long, short = 0.1 * torch.randn(32000), 0.1 * torch.randn(16000)
    n, m = subject.tokens(32000), subject.tokens(16000)
    assert m < n
    cost = lambda counts: ctc_macs.strips(facts, 4, 3, counts, columns=counts[0], scored=scored)  # noqa: E731
    for policy, rate in (("none", 1.0), ("topk", 0.5), ("pool", 0.5)):
        subject.choose(policy, rate)
        scored = facts.blocks if policy == "topk" else ()
        alone = []
        for wave in (long, short):
            with torch.inference_mode():
                said = subject.decode(subject.encode(subject.features([wave], "single")))
            assert subject.executed(1, said) == subject.useful(len(wave), said[0])  # nothing is wasted
            alone.append(said[0])
        with torch.inference_mode():
            assert subject.decode(subject.encode(subject.features([long, short], "longest"))) == alone
        whole = subject.last[0]
        assert (whole[0], subject.last[1][0]) == (n, m)
        assert subject.executed(2, alone) == (2 * cost(whole), 0)
        with torch.inference_mode():
            subject.encode(subject.features([long, short], "padded"))
        assert subject.last == [whole, whole]  # silence counts as sound
        if rate < 1:
            assert whole[4] == -(-n // 2)  # after block 3, the first that prunes


def run(tmp_path: Path, audio: Path, checkpoint: Path, **more) -> tuple[dict, Path]:
    out = tmp_path / "out"
    out.mkdir()
    own = settings(warmup=1, runs=2, batch_size=2, **more)
    return step.pace(Job("pace", "a", "k", own, {"audio": audio, "checkpoint": checkpoint}, out, tmp_path)), out


def test_the_step_times_test_clips_and_names_its_device_and_load(tmp_path, audio, checkpoint, monkeypatch):
    monkeypatch.setattr(_paced_whisper, "UNITS", 3)
    results, out = run(tmp_path, audio, checkpoint)
    assert (results["clips"], results["audio_seconds"], results["tokens"]) == (2, 3.0, 150)  # of 1 and 2 s; one trains
    assert results["device"] == provenance.device()
    assert {"before", "after", "cores"} == set(results["load"])
    frame = pd.read_csv(out / "pace.csv")
    assert len(frame) == 2 * 2 * 2  # batchings, arms, runs
    assert (frame[["features_s", "encoder_s", "decoder_s"]] > 0).all(axis=None)
    assert frame.groupby(["batching", "policy"])["encoder_macs"].nunique().eq(1).all()
    assert (frame["useful_encoder_macs"] < frame["encoder_macs"]).all()
    made = pd.read_csv(out / "batches.csv")
    assert made.values.tolist() == [["single", 1, 50, 1500], ["single", 1, 100, 1500], ["padded", 2, 150, 3000]]


def test_another_device_is_refused(tmp_path, audio, checkpoint):
    with pytest.raises(UserError, match="is to be timed on 'NVIDIA H100', but this machine has"):
        run(tmp_path, audio, checkpoint, device="NVIDIA H100")


# --- what is shown ---


def test_rates_are_medians_and_speed_ups_are_taken_run_by_run(tmp_path):
    found = {one.arm: one for one in paces(timed(tmp_path).cells("pace")[0])}
    base, best = found["padded", "none", 1.0], found["padded", "topk", 0.5]
    assert base.timed["audio_per_s"].value == pytest.approx(10)  # 20 s of sound in 2 s
    assert base.timed["audio_per_s"].quartiles == pytest.approx((5.5, 10))  # 1, 10, 10
    assert (best.timed["clips_per_s"].value, best.timed["tokens_per_s"].value) == pytest.approx((8, 240))
    assert best.timed["speed_up"].value == pytest.approx(4)
    assert best.timed["speed_up"].quartiles == pytest.approx((4, 4))  # the slow run is slow for both
    assert found["single", "none", 1.0].timed["speed_up"].value == pytest.approx(2 / 3)
    assert best.timed["encoder_audio_per_s"].value == pytest.approx(20 / 0.25)
    assert best.counted["encoder_mac_ratio"] == 4
    assert (best.counted["executed"], best.counted["useful"]) == pytest.approx((0.2, 0.1))  # G a second of sound
    assert best.counted["wasted_macs"] == pytest.approx(50)
    assert (best.counted["waste"], best.counted["per_batch"]) == pytest.approx((98, 4))


def test_the_table_has_a_row_for_each_arm_under_its_recogniser_and_device(tmp_path):
    made = table.build(timed(tmp_path))
    assert [(row.cells["batching"], row.cells["policy"]) for row in made.rows] == [
        (batching, policy) for batching in ("single", "padded") for policy in ("none", "topk")
    ]
    (title,) = {row.group for row in made.rows}
    assert title == "whisper-base on x; 4 clips, 20 s of sound; pruned at block 1: a device, fp32"
    assert "its load was 0.5 to 2.0" in made.notes[0]


def test_what_was_not_timed_says_why(tmp_path):
    for row in table.build(timed(tmp_path, made=False)).rows:
        assert "is not made yet" in row.cells["speed_up"].why


def test_wrong_names_and_a_missing_baseline_are_all_told():
    pace = {
        "policies": ["topkk"],
        "keep_rates": [0.5],
        "batchings": ["single"],
        "blocks": [4, 9],
        "datasets": ["esc50"],
    }
    speech = [{"recognisers": ["whisper-tiny"], "datasets": ["commonvoice-100"], "blocks": [[2]]}]
    study = {"title": "t", "tier": "extension", "recognitions": speech, "pace": [pace]}
    errors = config_checks.errors_of(config.Config.model_validate({"recipes": {}, "studies": {"s": study}}))
    for place, words in {
        "policies.0": "did you mean 'topk'",
        "keep_rates": "must be different and hold 1.0, the baseline",
        "batchings": "must be different and hold 'padded', the baseline",
        "datasets.0": "no dataset under `recognitions` named 'esc50'",
        "blocks": "rising numbers from 0 to 3",
    }.items():
        assert [one for one in errors if f"studies.s.pace.0.{place}: " in one and words in one], (place, errors)
    alone = {
        "title": "t",
        "tier": "extension",
        "costs": [{"backbones": ["ast-b"], "datasets": ["esc50"], "methods": ["topk"]}],
    }
    errors = config_checks.errors_of(
        config.Config.model_validate({"recipes": {}, "studies": {"s": alone | {"pace": [{}]}}})
    )
    assert [one for one in errors if "there are no `recognitions`, whose recognisers it times" in one]
