"""wav2vec2 against torchaudio, at random weights; its checkpoint's head, and files that are another."""

from __future__ import annotations

import pytest
import torch
import torchaudio

from audioprune.errors import UserError
from audioprune.facts.recogniser import CTC
from audioprune.facts.units import OFFICIAL
from audioprune.recognisers.wav2vec2 import build, load_official, power
from tests.fakes.listeners import SAMPLES, WAV2VEC2, hears, official_weights, small, waves

FACTS = CTC["wav2vec2-b"]


def official(head: int = 29, *, old: bool = False) -> dict[str, torch.Tensor]:
    """`old`: with the names before torch 2.1."""
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    state = {}
    for name, value in official_weights(head).items():
        before, _, end = name.partition("conv.parametrizations")
        state[f"{before}conv.{names['parametrizations' + end]}" if old and end else name] = value
    return state


@pytest.fixture(scope="module")
def both():
    """torchaudio's base model with 29 outputs, and ours with its weights."""
    torch.manual_seed(0)
    theirs = torchaudio.models.wav2vec2_base(aux_num_out=29).eval()
    ours = build(FACTS, units=29, strip=4, seed=0).eval()
    kept = {name: value for name, value in ours.state_dict().items() if name.startswith("auxiliary.")}
    ours.load_state_dict(theirs.state_dict() | kept)
    return theirs, ours


def test_as_many_parameters_by_the_same_names(both):
    theirs, ours = both
    own = {name: p for name, p in ours.named_parameters() if not name.startswith("auxiliary.")}
    assert list(own) == list(dict(theirs.named_parameters()))
    assert sum(p.numel() for p in own.values()) == 94_393_245


@pytest.mark.parametrize("samples", [16000, 7013])
def test_one_clip_is_heard_as_by_torchaudio(both, samples):
    theirs, ours = both
    (wave,) = waves((samples,))
    with torch.inference_mode():
        wanted, _ = theirs(wave[None])
        found = ours([ours.read(wave)])
    assert found.columns == [wanted.shape[1]]
    torch.testing.assert_close(found.logits, wanted, atol=1e-5, rtol=0)


def test_a_batch_is_its_clips_alone_where_torchaudios_is_not():
    """The front end's norm there takes its statistics over padding, too."""
    model, clips = small("wav2vec2"), waves()
    together = hears(model, clips)
    theirs = torchaudio.models.wav2vec2_model(
        "group_norm", None, False, 32, 0.0, 128, 16, 4, 4, 0.0, 128, 0.0, 0.0, False, 0.0, 5
    ).eval()
    theirs.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith("auxiliary.")})
    padded = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
    with torch.inference_mode():
        other, _ = theirs(padded, torch.tensor(SAMPLES))
    worst = 0.0
    for i, clip in enumerate(clips):
        with torch.inference_mode():
            alone = theirs(clip[None])[0][0]
        n = together.columns[i]
        torch.testing.assert_close(together.logits[i, :n], alone, atol=1e-5, rtol=0)
        worst = max(worst, (other[i, :n] - alone).abs().max().item())
    assert worst > 1e-3


@pytest.mark.parametrize("old", [False, True])
def test_of_32_rows_of_the_official_head_29_remain(tmp_path, old):
    """Rows 1, 2 and 3 stand for no letter; torchaudio's own reader drops them."""
    state = official(32, old=old)
    torch.save(state, tmp_path / "w.pth")
    model = build(WAV2VEC2, units=29, strip=4, seed=0)
    before = model.auxiliary[1].weight.clone()
    load_official(model, tmp_path / "w.pth")
    rows = [0, *range(4, 32)]
    assert torch.equal(model.aux.weight, state["aux.weight"][rows])
    assert torch.equal(model.aux.bias, state["aux.bias"][rows])
    assert torch.equal(model.auxiliary[1].weight, before)
    whole = build(WAV2VEC2, units=29, strip=4, seed=0)
    torch.save(official(29), tmp_path / "29.pth")
    load_official(whole, tmp_path / "29.pth")
    name = "encoder.transformer.layers.1.feed_forward.output_dense.weight"
    assert torch.equal(whole.state_dict()[name], official(29)[name])


def test_letters_are_torchaudios():
    assert torchaudio.pipelines.WAV2VEC2_ASR_BASE_960H.get_labels() == OFFICIAL


def test_statistics_of_its_own_samples_rank_a_column():
    """320 samples of a square wave of 0.1 are -20 dB, silence is the floor of -100 dB."""
    wave = torch.cat([torch.full((320,), 0.1), torch.zeros(320), torch.full((100,), 9.0)])
    torch.testing.assert_close(power(wave, 2)[0, :, 0], torch.tensor([-20.0, -100.0]))


def changed(name: str, value) -> dict:
    state = official(32)
    if value is None:
        del state[name]
    else:
        state[name] = value
    return state


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (lambda: official(31), "31 units and small wav2vec2 has 29 labels"),
        (lambda: {"model": 1}, "has 0 units"),
        (lambda: changed("encoder.feature_projection.projection.bias", None), "missing ..encoder.feature_projection"),
        (lambda: changed("quantiser.weight", torch.zeros(2)), "left over ..quantiser.weight"),
        (
            lambda: changed("encoder.feature_projection.projection.bias", torch.zeros(7)),
            r"projection.bias is \(7,\), not \(32,\)",
        ),
    ],
)
def test_a_wrong_checkpoint_is_named(tmp_path, state, words):
    torch.save(state(), tmp_path / "w.pth")
    with pytest.raises(UserError, match=words):
        load_official(build(WAV2VEC2, units=29, strip=4, seed=0), tmp_path / "w.pth")


def test_a_truncated_checkpoint_is_named(tmp_path):
    torch.save(official(32), tmp_path / "w.pth")
    (tmp_path / "w.pth").write_bytes((tmp_path / "w.pth").read_bytes()[:5000])
    with pytest.raises(UserError, match="cannot be read as a checkpoint"):
        load_official(build(WAV2VEC2, units=29, strip=4, seed=0), tmp_path / "w.pth")


def test_its_front_end_is_not_trained():
    model = small("wav2vec2")
    model.learn(())
    learnt = {name.partition(".")[0] for name, p in model.named_parameters() if p.requires_grad}
    assert learnt == {"encoder", "aux", "auxiliary"}
