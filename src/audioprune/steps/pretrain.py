"""Pre-train a tiny backbone on generated audio; writes a checkpoint with the family's official key names."""

from __future__ import annotations

from safetensors.torch import save_file

from audioprune import records, registry
from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.models.build import build_model
from audioprune.settings.training import PretrainSettings
from audioprune.steps._run import Job, main
from audioprune.training import pretrain as training
from audioprune.training.device import prepare


def pretrain(job: Job[PretrainSettings]) -> dict:
    settings = job.settings
    device = prepare(settings.model.backbone)
    corpus = records.read(job.inputs["features"])["settings"]["dataset"]
    facts = registry.dataset(corpus)
    features = FeatureStore.open(job.inputs["features"])
    model = build_model(
        settings.model.backbone,
        frames=features.values.shape[1],
        num_classes=facts.num_classes,
        patch=settings.model.patch,
        stride=settings.model.stride,
        kernel=settings.model.kernel,
        drop_path=settings.recipe.drop_path,
        seed=settings.seed,
    ).to(device)
    weights, results = training.pretrain(
        settings,
        model,
        waveforms=WaveformStore.open(job.inputs["audio"], device=str(device)),
        features=features,
        num_classes=facts.num_classes,
        out=job.out,
        resume=job.resume,
        key=job.key,
        device=device,
        name=f"pretrain/{job.address}",
        save_every_s=job.save_every_s,
    )
    with records.atomic(job.out / "checkpoint.safetensors") as path:
        save_file(weights, path, {"num_heads": str(model.blocks[0].attn.num_heads)})
    return results


if __name__ == "__main__":
    main(pretrain)
