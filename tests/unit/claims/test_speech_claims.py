"""Claims about recognisers: every verdict by made transcripts, and that the tables show what the verdicts rest on."""

from __future__ import annotations

import pandas as pd
import pytest

from audioprune.claims.claim import load
from audioprune.claims.ledger import judge, judge_all
from audioprune.claims.verdict import Judged, Part
from audioprune.results.study import Results
from audioprune.settings.costs import PaceSettings
from audioprune.tables import claims as claims_table
from audioprune.tables import wer, wer_contrasts
from tests.fakes.speech import How, speech, study, transcripts
from tests.fakes.studies import FakeCell, Study
from tests.unit.tokens.test_retention import N, given, mixed

CLAIMS = {claim.name: claim for claim in load()}
SPOKEN = ("EAS-1", "RQ1-a", "RQ1-b", "RQ1-c")
BETTER, WORSE, LIKE, UNCLEAR = mixed(2, 3), mixed(3, 4), [3] * 58 + [2, 4], mixed(2, 4)


def judged(name: str, folder, errors: dict) -> Judged:
    static = {(policy, rate): 3 for policy in ("stride", "pool") for rate in (0.5, 0.25)}
    return judge(CLAIMS[name], study(folder, given(static | errors)))


@pytest.mark.parametrize(
    ("half", "quarter", "verdict"),
    [
        (BETTER, BETTER, "supported"),
        (WORSE, LIKE, "refuted"),
        (BETTER, WORSE, "partly"),
        (BETTER, UNCLEAR, "inconclusive"),
    ],
)
def test_which_tokens_has_each_verdict(tmp_path, half, quarter, verdict):
    found = judged("RQ1-a", tmp_path, {("topk", 0.5): half, ("topk", 0.25): quarter})
    assert (found.verdict, found.own_data) == (verdict, False)
    assert found.verdict_where == f"{verdict} on commonvoice-100"
    assert len([part for part in found.parts if part.counted]) == 2


def test_policies_beside_topk_decide_nothing(tmp_path):
    found = judged("RQ1-a", tmp_path, {("topk", 0.5): BETTER, ("intensity", 0.5): WORSE, ("random", 0.5): mixed(8, 9)})
    assert found.verdict == "supported"
    assert {part.verdict for part in found.parts if not part.counted} == {"refuted"}


@pytest.mark.parametrize(("varied", "verdict"), [(BETTER, "supported"), (WORSE, "refuted"), (UNCLEAR, "inconclusive")])
def test_how_many_has_each_verdict(tmp_path, varied, verdict):
    found = judged("RQ1-b", tmp_path, {("topk", 0.5): 3, ("topk", 0.5, "threshold"): varied})
    assert found.verdict == verdict


def test_how_many_is_not_judged_at_other_costs(tmp_path):
    arms = given({("topk", 0.5): 3})
    arms[How("topk", 0.5, "threshold")] = transcripts(BETTER, encoder_macs_sound=95)
    found = judge(CLAIMS["RQ1-b"], study(tmp_path, arms))
    assert found.verdict == "not-run"
    (part,) = [part for part in found.parts if part.value is not None]
    assert (part.verdict, part.counted) == ("open", False)
    assert "not matched in cost" in part.evidence


@pytest.mark.parametrize(
    ("topk", "stride", "verdict"),
    [
        (mixed(1, 2, 0.15), 5, "supported"),
        (5, mixed(1, 2, 0.15), "refuted"),
        (mixed(1, 2), mixed(2, 1), "inconclusive"),
    ],
)
def test_savings_have_each_verdict(tmp_path, topk, stride, verdict):
    arms = given({("topk", 0.5): topk, ("stride", 0.5): stride, ("pool", 0.5): 6})
    assert judge(CLAIMS["RQ1-c"], study(tmp_path, arms)).verdict == verdict


def test_savings_are_not_judged_twice_for_chance(tmp_path):
    """The p-value that a part has is adjusted for its test set already."""
    arms = given({(name, rate): 3 for name in ("stride", "pool") for rate in (0.5, 0.25)})
    few = lambda n: [2] * n + [3] * (N - n)  # noqa: E731
    arms |= given({("topk", 0.5): few(8), ("topk", 0.25): few(9)})
    found = judge(CLAIMS["RQ1-a"], study(tmp_path, arms))
    own = [part for part in found.parts if part.counted]
    assert [part.p for part in own] == [2 / 2**8, 2 / 2**9]
    assert [part.holm for part in own] == [2 / 2**8, 4 / 2**9]


# --- sparsification by attention -----------------------------------------------------------------------------------


def sparse(folder, sound: list[int], window: list[int]) -> Judged:
    """Ten errors in a hundred words unpruned; what is not half of the tokens at one early block is awful."""
    errors = {How(): [10] * N, How("topk", 0.5): sound, How("topk", 0.5, within="window"): window}
    errors |= {How("topk", 0.25): [90] * N, How("topk", 0.5, blocks=(1, 3, 4)): [90] * N}
    return judge(CLAIMS["EAS-1"], study(folder, {how: transcripts(own, words=100) for how, own in errors.items()}))


@pytest.mark.parametrize(
    ("sound", "window", "verdict"),
    [
        ([10] * 50 + [11] * 10, [10] * 50 + [11] * 10, "supported"),  # a sixth of a point
        ([12] * 30 + [13] * 30, [12] * 30 + [14] * 30, "refuted"),
        ([12] * 30 + [13] * 30, [10] * 50 + [11] * 10, "partly"),  # only padding may go
        ([10] * 30 + [12] * 30, [10] * 50 + [11] * 10, "inconclusive"),  # just one point
    ],
)
def test_half_of_the_tokens_within_the_sound_and_of_the_window_side_by_side(tmp_path, sound, window, verdict):
    found = sparse(tmp_path, sound, window)
    assert found.verdict == verdict
    counted = [part for part in found.parts if part.counted]
    assert len(counted) == 2
    assert [part.name.rpartition("tokens ")[2] for part in counted] == ["within the sound", "of the whole window"]
    beside = [part for part in found.parts if not part.counted]
    assert {part.verdict for part in beside} == {"not-run"}
    assert "times no such recogniser" in beside[-1].evidence


def timed(folder, seconds: list[float]) -> FakeCell:
    """A timing of the whole window at block 2: three runs of 10 s unpruned, of `seconds` pruned; padded, of 1 s."""
    own = PaceSettings(
        recogniser="whisper-base", dataset="commonvoice-100", policies=("topk",), keep_rates=(1.0, 0.5), blocks=(2,),
        batchings=("single", "padded"), device="here",
    )  # fmt: skip
    took = {("single", "none", 1.0): [10.0] * 3, ("single", "topk", 0.5): seconds}
    took |= {("padded", policy, rate): [1.0] * 3 for policy, rate in (("none", 1.0), ("topk", 0.5))}
    counts = dict.fromkeys(("units", "encoder_macs", "decoder_macs", "useful_encoder_macs", "useful_decoder_macs"), 1)
    rows = [
        {"batching": batching, "policy": policy, "keep_rate": rate, "run": run, **counts}
        | {"features_s": 0.1 * one, "encoder_s": 0.6 * one, "decoder_s": 0.3 * one}
        for (batching, policy, rate), runs in took.items()
        for run, one in enumerate(runs)
    ]
    batches = [{"batching": batching, "clips": 1, "valid": 1, "computed": 1} for batching in own.batchings]
    files = [
        lambda out: pd.DataFrame(rows).to_csv(out / "pace.csv", index=False),
        lambda out: pd.DataFrame(batches).to_csv(out / "batches.csv", index=False),
    ]
    about = {"clips": 10, "audio_seconds": 100.0, "tokens": 5000}
    return Study(folder).cell("pace", "here", own, results=about, files=files)


@pytest.mark.parametrize(
    ("seconds", "verdict", "faster"),
    [
        ([5.0, 5.1, 5.2], "supported", 10 / 5.1),
        ([11, 12, 13], "refuted", 10 / 12),
        ([8, 9, 14], "inconclusive", 10 / 9),
    ],
)
def test_the_speed_is_judged_where_it_was_timed(tmp_path, seconds, verdict, faster):
    """Batches are no speed of one clip, and what prunes within the sound is not timed."""
    errors = dict.fromkeys((How(), How("topk", 0.5), How("topk", 0.5, within="window")), [10] * N)
    arms = {how: transcripts(own, words=100) for how, own in errors.items()}
    results = study(tmp_path / "arms", arms, more=(timed(tmp_path / "timed", seconds),))
    found = judge(CLAIMS["EAS-1"], results)
    sound, window = (part for part in found.parts if part.name.startswith("speed"))
    assert (window.verdict, window.counted, window.value) == (verdict, True, pytest.approx(faster))
    assert (sound.verdict, sound.counted) == ("not-run", False)
    rows = [row.cells for row in wer.build(results).rows if row.cells["policy"] == "topk"]
    shown = {row["within"]: row.get("rtfx") for row in rows}
    assert shown["sound"] is None
    assert shown["window"].value == pytest.approx(100 / sorted(seconds)[1])
    assert next(row["rtfx_batched"].value for row in rows if row["within"] == "window") == pytest.approx(100)


# --- which claims, and where their evidence stands -----------------------------------------------------------------


def test_a_study_is_asked_what_it_has_models_of():
    assert {one.claim.name for one in judge_all(speech())} == set(SPOKEN)
    assert not {one.claim.name for one in judge_all(Results("paper", []))} & set(SPOKEN)
    assert {row.cells["claim"] for row in claims_table.build(speech()).rows} == set(SPOKEN)


def test_every_part_stands_in_the_table_that_it_names():
    """Value, interval and, of what counts, the verdict."""
    contrasts = [row.cells for row in wer_contrasts.build(speech()).rows]
    rates = [row.cells for row in wer.build(speech()).rows]
    for name in SPOKEN:
        found = judge(CLAIMS[name], speech())
        parts = [part for part in found.parts if part.value is not None]
        assert parts, name
        for part in parts:
            rows, key = (rates, "wer_minus_unpruned") if name == "EAS-1" else (contrasts, "difference")
            (row,) = [row for row in rows if _shows(row, row.get(key), part)]
            if name != "EAS-1":
                assert part.verdict == row["verdict"]
                assert (part.exhibit or found.shown_in) == "wer-contrasts"
                assert part.counted == (row["counts"] == "yes")
            else:
                assert part.exhibit == "wer"


def _shows(row: dict, cell, part: Part) -> bool:
    """Whether a row has the value and interval of a part, and is of the same policy, keep-rate and place."""
    if cell is None or (cell.value, cell.low, cell.high) != (part.value, part.low, part.high):
        return False
    if "place" in row:
        rate = "" if row["keep_rate"] is None else f" at {row['keep_rate']:g}"
        return part.name == f"{row['policy']}{rate} against {row['against']}, {row['place']}"
    where = {"sound": "within the sound", "window": "of the whole window"}[row["within"]]
    same = part.name == f"{row['recogniser']} on {row['dataset']} at {row['keep_rate']:g}, tokens {where}"
    return same and (row["policy"], row["budget"]) == ("topk", "fixed")
