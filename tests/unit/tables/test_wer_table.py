"""The table of word error rates: which rows it has, and what is not run and why."""

from __future__ import annotations

from audioprune.results.study import Results
from audioprune.settings.speech import RecogniseSettings, TranscribeSettings
from audioprune.settings.training import Recipe
from audioprune.tables import wer
from tests.fakes.speech import transcripts
from tests.fakes.studies import Study

NAMED = {"recogniser": "wav2vec2-b", "dataset": "librispeech-clean"}
PRUNED = {"keep_rate": 0.5, "blocks": (3, 6, 9)}


def published_and_adapted(folder, unknown: int = 0, silent: str = "") -> Results:
    """The published model pruned by topk; and models adapted to topk and to blank, of which one may hear nothing."""
    study = Study(folder)
    base = study.cell("recognise", "base", RecogniseSettings(**NAMED, units="chars"), results={"unknown_test_words": 0})
    models = [("none", base), ("topk", base)]
    for policy in ("none", "topk", "blank"):
        own = RecogniseSettings(
            **NAMED, units="chars", policy=policy, **PRUNED, recipe=Recipe(epochs=1, batch_size=1), seed=1
        )
        results = {"unknown_test_words": unknown}
        models.append((policy, study.cell("recognise", f"adapted-{policy}", own, results=results, recognise=base)))
    for policy, model in models:
        frame = transcripts([1] * 6, encoder_macs=100, decoder_macs=0, tokens=[[96] * 13] * 6, sound=96, kept=48)
        if policy == silent and model is not base:
            frame = frame.assign(text="")
        restore = "" if policy == "none" else "nearest" if model is base else "carried"
        own = TranscribeSettings(**NAMED, policy=policy, **PRUNED, restore=restore)
        write = [lambda out, frame=frame: frame.to_parquet(out / "transcripts.parquet")]
        study.cell("transcribe", f"{model.address}-eval-{policy}", own, files=write, recognise=model)
    return Results("speech", study.cells)


def test_blank_is_not_run_on_a_published_checkpoint_and_says_why(tmp_path):
    rows = wer.build(published_and_adapted(tmp_path)).rows
    shown = [(row.cells["trained"], row.cells["policy"], row.cells["wer"]) for row in rows]
    assert [(trained, policy, cell.value) for trained, policy, cell in shown] == [
        ("off the shelf", "none", 10.0),
        ("off the shelf", "topk", 10.0),
        ("off the shelf", "blank", None),
        ("adapted", "none", 10.0),
        ("adapted", "topk", 10.0),
        ("adapted", "blank", 10.0),
    ]
    assert shown[2][2].why == wer.NO_HEAD
    assert "auxiliary head" in wer.NO_HEAD


def test_words_that_no_output_matches_and_transcripts_of_nothing_are_told(tmp_path):
    plain = wer.build(published_and_adapted(tmp_path / "a")).notes
    told = wer.build(published_and_adapted(tmp_path / "b", unknown=3, silent="blank")).notes
    words, nothing = (note for note in told if note not in plain)
    assert words.startswith("wav2vec2-b on librispeech-clean: 3 of the test words are in no training transcript")
    assert nothing.startswith("wav2vec2-b on librispeech-clean, adapted: block")
    assert "blank at 0.5: every transcript is empty" in nothing
