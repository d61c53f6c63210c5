"""A study of a recogniser with a CTC head and made transcripts: a base, what was adapted from it, and longer strips."""

from __future__ import annotations

from pathlib import Path

from audioprune.results.study import Results
from audioprune.settings.speech import RecogniseSettings, TranscribeSettings
from audioprune.settings.training import Recipe
from tests.fakes.speech import transcripts
from tests.fakes.studies import FakeCell, Study

ERRORS = {"none": 1, "stride": 4, "pool": 5, "topk": 2}  # of ten words of each of twelve speakers
NAMED = {"recogniser": "strips-tiny", "dataset": "demo-sentences"}
BLOCKS = (3, 6, 9)


def adapted(
    folder: Path, seeds: tuple[int, ...] = (0,), errors: dict | None = None, rates=(0.5,), restores=("carried",)
) -> Results:
    """errors {policy, or (policy, way of restoring): of each clip}."""
    return Results("speech", cells(folder, seeds, errors, rates, restores))


def cells(folder: Path, seeds=(0,), errors: dict | None = None, rates=(0.5,), restores=("carried",)) -> list[FakeCell]:
    errors, study = ERRORS | (errors or {}), Study(folder)
    for seed in seeds:
        base = _recognise(study, seed, "base")
        _heard(study, base, "none", 1.0, errors["none"])
        _heard(study, _recognise(study, seed, "s8", strip=8), "none", 1.0, errors.get("longer", 3), cost=45)
        for policy in ("none", "stride", "pool", "topk"):
            for rate in rates if policy != "none" else (1.0,):
                own = {"policy": policy, "keep_rate": rate, "blocks": BLOCKS}
                model = _recognise(study, seed, f"{policy}-{rate}", recognise=base, **own)
                ways = restores if policy in ("stride", "topk") else ("",)
                for way in ways:
                    wrong = errors.get((policy, way), errors[policy])
                    _heard(study, model, policy, rate, wrong, way, cost=100 if policy == "none" else 100 * rate)
    return study.cells


def _recognise(study: Study, seed: int, name: str, recognise=None, **more):
    inputs = {"recognise": recognise} if recognise else {}
    own = RecogniseSettings(**NAMED, recipe=Recipe(epochs=1, batch_size=1), seed=seed, **more)
    return study.cell("recognise", f"{name}-{seed}", own, results={"unknown_test_words": 0}, **inputs)


def _heard(study: Study, model, policy: str, rate: float, wrong: int | list[int], restore: str = "", cost: float = 100):
    wrong = wrong if isinstance(wrong, list) else [wrong] * 12
    frame = transcripts(wrong, encoder_macs=int(cost), decoder_macs=0, tokens=[[96] * 13] * 12, sound=96, kept=48)
    own = TranscribeSettings(**NAMED, policy=policy, keep_rate=rate, blocks=BLOCKS, restore=restore)
    write = [lambda out: frame.to_parquet(out / "transcripts.parquet")]
    study.cell("transcribe", f"{model.address}-{policy}-{rate}-{restore}", own, files=write, recognise=model)
