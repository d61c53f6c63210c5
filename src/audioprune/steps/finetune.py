"""Fine-tune one backbone on one dataset, pruned or not; writes its weights and its training curve."""

from __future__ import annotations

from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.settings.training import FinetuneSettings
from audioprune.sources.of_cell import facts_of
from audioprune.steps._model import model_for, start_from
from audioprune.steps._run import Job, main
from audioprune.training import finetune as training
from audioprune.training.device import prepare


def finetune(job: Job[FinetuneSettings]) -> dict:
    settings = job.settings
    device = prepare(settings.model.backbone)
    facts = facts_of(job.inputs["audio"])
    features = FeatureStore.open(job.inputs["features"])
    model = model_for(
        settings,
        facts,
        features.values.shape[1],
        pruning=settings.pruning,
        kernel=settings.model.kernel,
        drop_path=settings.recipe.drop_path,
    )
    if settings.initial == "pretrained":
        if "checkpoint" not in job.inputs:
            raise UserError(f"{job.address} starts from a checkpoint, but none is among its inputs")
        start_from(model, job.inputs["checkpoint"])
    return training.finetune(
        settings,
        model.to(device),
        facts=facts,
        waveforms=WaveformStore.open(job.inputs["audio"], device=str(device)),
        features=features,
        out=job.out,
        resume=job.resume,
        key=job.key,
        device=device,
        name=f"finetune/{job.address}",
        save_every_s=job.save_every_s,
    )


if __name__ == "__main__":
    main(finetune)
