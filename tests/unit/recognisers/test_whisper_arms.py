"""All ways of pruning a Whisper's encoder: against the library call, against rules written out, and against counts."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import whisper

import audioprune
from audioprune.errors import UserError
from audioprune.facts.recogniser import RECOGNISERS, Recogniser
from audioprune.facts.tokens import keep_count
from audioprune.models.thresholds import reaching, threshold
from audioprune.profiling import whisper_macs
from audioprune.recognisers import whisper_arms
from audioprune.recognisers.whisper_arms import Arm, Kept, Windows, budget_met, equal_cost
from audioprune.settings.speech import TranscribeSettings
from tests.unit.recognisers.test_whisper import HEADS, D, P, made

FACTS = Recogniser("whisper-tiny", D, HEADS, 4, multilingual=True, small=True, tokens=P)
SECONDS = (0.3, 0.55, 0.8, 0.4, 0.97, 0.62)
HALVES = [0, 1, 0, 1, 1, 0]
POLICIES = ("topk", "intensity", "random", "stride", "pool", "adjacent")


@pytest.fixture
def model(monkeypatch):
    """A small Whisper whose windows last 1 s."""
    monkeypatch.setattr(whisper.audio, "N_SAMPLES", 16000)
    monkeypatch.setattr(whisper, "pad_or_trim", lambda wave: whisper.audio.pad_or_trim(wave, 16000))
    return made()


def waves(seconds=SECONDS) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [0.1 * torch.randn(round(16000 * one), generator=generator) for one in seconds]


def windows(model, seconds=SECONDS) -> Windows:
    return Windows(model.encoder, FACTS, waves(seconds), [f"c{i}" for i in range(len(seconds))])


def settings(**given) -> TranscribeSettings:
    return TranscribeSettings(recogniser="whisper-tiny", dataset="x", **given)


def mel_of(wave: torch.Tensor) -> torch.Tensor:
    return whisper.log_mel_spectrogram(whisper.pad_or_trim(wave))


# --- what arms share ---


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("within", "blocks"), [("window", (1, 2)), ("sound", (2,)), ("sound", (0, 3))])
@torch.no_grad()
def test_an_arm_gives_what_the_library_call_gives_whatever_arms_came_before(model, policy, within, blocks):
    shared = windows(model)
    Arm(settings(policy="topk", keep_rate=0.3, blocks=(1, 3)), shared).encode(0)  # leaves states at block 1
    arm = Arm(settings(policy=policy, keep_rate=0.5, blocks=blocks, within=within), shared)
    first, again = arm.encode(0), arm.encode(0)
    audioprune.prune_whisper(model, policy, 0.5, blocks, within=within)
    wanted = model.encoder(mel_of(shared.waves[0])[None])[0]
    assert torch.equal(first[0], wanted)
    assert torch.equal(again[0], wanted)
    assert first[1].entered[-1].tolist() == model.encoder.kept[0].tolist()
    assert first[1].tokens[-1] == len(wanted)


@torch.no_grad()
def test_states_are_kept_as_far_as_there_is_room(model, monkeypatch):
    calls = []
    begin = whisper_arms.begin
    monkeypatch.setattr(whisper_arms, "begin", lambda *given: calls.append(1) or begin(*given))
    arm = lambda shared, **more: Arm(settings(policy="stride", keep_rate=0.5, **more), shared)  # noqa: E731
    shared = windows(model)
    wanted = [arm(shared).encode(clip)[0] for clip in range(3)]
    for _ in range(3):
        [arm(shared).encode(clip) for clip in range(3)]
    whole = Arm(settings(), shared).encode(1)[0]
    assert len(calls) == 3
    assert torch.equal(whole, model.encoder(mel_of(shared.waves[1])[None])[0])  # to the last bit, from a kept state
    assert set(shared.kept) == {(clip, 2) for clip in range(3)}
    monkeypatch.setattr(whisper_arms, "ROOM", 0)
    bare = windows(model)
    assert all(torch.equal(arm(bare).encode(clip)[0], wanted[clip]) for clip in range(3))
    assert bare.kept == {}


@torch.no_grad()
def test_attention_received_sums_to_one_over_the_tokens_it_is_among(model):
    """T10: planted in the maps of a second implementation, written out."""
    shared = windows(model)
    state = shared.at(1, 0)
    n, block, x = P, model.encoder.blocks[0], shared.start(1).x[0]
    y = block.attn_ln(x)
    q, k = (layer(y).view(n, HEADS, -1) for layer in (block.attn.query, block.attn.key))
    for m in (state.sound, n):
        logits = torch.einsum("ihd,jhd->hij", q[:m], k[:m]) / (D // HEADS) ** 0.5
        wanted = logits.softmax(-1).mean((0, 1))
        torch.testing.assert_close(state.received[m][0], wanted, atol=1e-6, rtol=1e-4)
        assert state.received[m].sum().item() == pytest.approx(1, abs=1e-5)
    assert 0 < state.sound < n


# --- thresholds ---


def test_a_threshold_lies_midway_and_as_many_reach_it():
    scores = torch.tensor([0.1, 0.9, 0.4, 0.8, 0.3])
    assert threshold(scores, 2) == pytest.approx((0.8 + 0.4) / 2)
    pooled = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    for count in (1, 17, 500, 999):
        assert int((pooled.double() >= threshold(pooled, count)).sum()) == count
    assert threshold(scores, 5) == float("-inf")
    tied = torch.tensor([0.5, 0.5, 0.5, 0.1])
    assert int(reaching(tied, threshold(tied, 2)).sum()) == 3  # equals go together
    assert reaching(torch.tensor([0.1, 0.3, 0.2]), 0.5).tolist() == [False, True, False]  # the best stays
    assert reaching(torch.tensor([0.1, 0.1]), 0.5).tolist() == [True, False]
    same = [torch.full((n,), 0.25) for n in (3, 5)]
    assert {int(reaching(one, threshold(torch.cat(same), 4)).sum()) / len(one) for one in same} == {1.0}


@pytest.mark.parametrize("policy", ["topk", "intensity", "adjacent"])
@pytest.mark.parametrize(("within", "blocks", "keep_rate"), [("sound", (2,), 0.5), ("window", (1, 3), 0.6)])
@torch.no_grad()
def test_thresholds_leave_on_the_half_they_are_set_on_what_the_fixed_share_leaves(
    model, policy, within, blocks, keep_rate
):
    shared = windows(model)
    arm = Arm(settings(policy=policy, keep_rate=keep_rate, blocks=blocks, within=within, budget="threshold"), shared)
    told = arm.calibrate(HALVES)
    assert [(row["half"], row["block"]) for row in told] == [(half, block) for half in (0, 1) for block in blocks]
    for half in (0, 1):
        found = [arm.encode(clip, half)[1] for clip, own in enumerate(HALVES) if own != half]
        counts = [
            shared.start(clip).sound if within == "sound" else P for clip, own in enumerate(HALVES) if own != half
        ]
        for block in blocks:
            counts = [keep_count(keep_rate, n) for n in counts]
            left = [(one.sounding if within == "sound" else one.tokens)[block + 1] for one in found]
            assert sum(left) == sum(counts)
        if policy != "adjacent":
            assert len(set(left)) > 1 or within == "sound"
    assert arm.taus[0] != arm.taus[1]


@torch.no_grad()
def test_which_tokens_reach_a_threshold_by_hand(model):
    """T15 and T10 at one block: n s_j of explicit maps, pooled over the other half."""
    shared = windows(model)
    arm = Arm(settings(policy="topk", keep_rate=0.4, blocks=(1,), within="sound", budget="threshold"), shared)
    arm.calibrate(HALVES)
    scores = []
    for clip in range(len(SECONDS)):
        x = model.encoder.blocks[0](shared.start(clip).x)[0]
        m, block = shared.start(clip).sound, model.encoder.blocks[1]
        y = block.attn_ln(x)[:m]
        q, k = (layer(y).view(m, HEADS, -1) for layer in (block.attn.query, block.attn.key))
        scores.append(m * (torch.einsum("ihd,jhd->hij", q, k) / (D // HEADS) ** 0.5).softmax(-1).mean((0, 1)))
    for half in (0, 1):
        others = [clip for clip, own in enumerate(HALVES) if own != half]
        pooled = sorted((one.item() for clip in others for one in scores[clip]), reverse=True)
        count = sum(-(-2 * len(scores[clip]) // 5) for clip in others)
        tau = (pooled[count - 1] + pooled[count]) / 2
        assert arm.taus[half][1] == pytest.approx(tau, abs=1e-5)
        for clip in (clip for clip, own in enumerate(HALVES) if own == half):
            wanted = [j for j, one in enumerate(scores[clip].tolist()) if one >= tau]
            assert [t for t in arm.encode(clip, half)[1].entered[-1].tolist() if t < len(scores[clip])] == wanted


@torch.no_grad()
def test_a_budget_that_is_missed_is_not_matched():
    own = settings(policy="topk", keep_rate=0.5, blocks=(1, 2), within="window", budget="threshold")

    def one(left: int) -> Kept:
        return Kept(10, 40, tuple(torch.arange(n) for n in (40, 40, 20, left)))

    assert budget_met(own, [one(10), one(10)]) == {"target": 0.25, "achieved": 0.25, "matched": True}
    assert budget_met(own, [one(10), one(12)])["matched"] is False
    with pytest.raises(UserError, match=r"set on one half of the speakers .*budgets: \[fixed\]"):
        Arm(own, None or windows(made())).calibrate([0, 0])


def test_at_keep_rate_1_every_budget_is_the_unpruned_arm():
    whole = settings()
    for given in ({"budget": "threshold"}, {"at_input": True, "policy": "pool"}, {"within": "sound", "blocks": (1, 3)}):
        assert settings(**{"policy": "topk", "keep_rate": 1.0} | given) == whole
    assert settings(margin=5) == whole  # says nothing of a padded window
    assert settings(padding="none", margin=5) != whole
    assert settings(thin_to=80) == whole


# --- padding, and pooling before block 0 ---


@torch.no_grad()
def test_padding_alone_is_thinned_and_all_of_the_sound_stays(model):
    shared = windows(model)
    s = shared.start(3).sound
    padding = P - s
    kept = {}
    for which in ("uniform", "first", "last", "attention"):
        _, found = Arm(settings(thin=which, thin_to=7, blocks=(2,)), shared).encode(3)
        assert found.entered[2].tolist() == list(range(P))
        left = found.entered[3].tolist()
        assert left[:s] == list(range(s))
        kept[which] = [token - s for token in left[s:]]
        assert found.tokens[-1] == s + 7
    assert kept["uniform"] == [(2 * i + 1) * padding // 14 for i in range(7)]
    assert kept["first"] == list(range(7))
    assert kept["last"] == list(range(padding - 7, padding))
    received = shared.at(3, 2).received[P][0, s:].tolist()
    assert kept["attention"] == sorted(sorted(range(padding), key=lambda j: (-received[j], j))[:7])
    _, more = Arm(settings(thin="first", thin_to=padding, blocks=(2,)), shared).encode(3)
    assert more.tokens == [P] * 5
    wanted = by_hand_thinned(model, mel_of(shared.waves[3]), [*range(s), *(s + j for j in kept["uniform"])])
    torch.testing.assert_close(
        Arm(settings(thin="uniform", thin_to=7, blocks=(2,)), shared).encode(3)[0], wanted, atol=2e-5, rtol=1e-4
    )


def by_hand_thinned(model, mel, stay: list[int]) -> torch.Tensor:
    """Tokens `stay` alone after the attention of block 2."""
    encoder = model.encoder
    x = torch.nn.functional.gelu(encoder.conv2(torch.nn.functional.gelu(encoder.conv1(mel[None])))).transpose(1, 2)
    x = encoder.blocks[1](encoder.blocks[0](x + encoder.positional_embedding))[0]
    block = encoder.blocks[2]
    x = (x + block.attn(block.attn_ln(x[None]))[0][0])[stay]
    x = x + block.mlp(block.mlp_ln(x))
    return encoder.ln_post(encoder.blocks[3](x[None])[0])


@pytest.mark.parametrize(("margin", "tokens"), [(0, 28), (12, 40), (128, 50)])
@torch.no_grad()
def test_without_padding_a_clip_and_a_margin_are_encoded(model, margin, tokens):
    shared = windows(model, (0.55,))  # 8800 samples: 27.5 tokens
    encoding, found = Arm(settings(padding="none", margin=margin), shared).encode(0)
    assert found.tokens == [tokens] * 5
    assert found.made == tokens
    encoder, mel = model.encoder, mel_of(shared.waves[0])[None, :, : 2 * tokens]
    x = torch.nn.functional.gelu(encoder.conv2(torch.nn.functional.gelu(encoder.conv1(mel)))).transpose(1, 2)
    x = x + encoder.positional_embedding[:tokens]
    for block in encoder.blocks:
        x = block(x)
    assert torch.equal(encoding, encoder.ln_post(x)[0])


@torch.no_grad()
def test_pool_at_the_input_averages_before_block_0(model):
    shared = windows(model)
    own = settings(policy="pool", keep_rate=0.5, blocks=(2,), within="sound", at_input=True)
    (encoding, found), state = Arm(own, shared).encode(1), shared.start(1)
    s, kept = state.sound, equal_cost(FACTS, P, state.sound, 0.5, (2,))
    assert found.tokens == [P - s + kept] * 5
    assert (found.made, found.sounding) == (P, [kept] * 5)
    groups = [[j for j in range(s) if j * kept // s == g] for g in range(kept)]
    x = torch.stack([*(state.x[0, group].mean(0) for group in groups), *state.x[0, s:]])[None]
    for block in model.encoder.blocks:
        x = block(x)
    torch.testing.assert_close(encoding, model.encoder.ln_post(x)[0], atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("sound", [50, 271, 1500])
@pytest.mark.parametrize(("keep_rate", "blocks"), [(0.5, (2,)), (0.125, (2,)), (0.7, (1, 3, 4))])
def test_pool_at_the_input_costs_what_pooling_later_costs(sound, keep_rate, blocks):
    """Within half a point of all MACs of the unpruned model, with 30 units decoded."""
    base, n = RECOGNISERS["whisper-base"], 1500
    later, left = [n], sound
    for block in range(6):
        left = keep_count(keep_rate, left) if block in blocks else left
        later.append(n - sound + left)
    kept = equal_cost(base, n, sound, keep_rate, blocks)
    early = [n - sound + kept] * 7
    costs = [whisper_macs.encoder(base, tokens, made=n) for tokens in (early, later, [n] * 7)]
    whole = [cost + whisper_macs.decoder(base, t, 30) for cost, t in zip(costs, (early[-1], later[-1], n), strict=True)]
    assert abs(whole[0] - whole[1]) <= 0.005 * whole[2]
    assert 1 <= left <= kept <= sound


def test_macs_count_what_the_convolutions_made():
    made_of = dataclasses.replace(FACTS)
    less = whisper_macs.encoder(made_of, [30] * 5, made=P)
    assert less - whisper_macs.encoder(made_of, [30] * 5) == (3 * 80 * D * 2 + 3 * D * D) * (P - 30)


# --- what cannot be heard ---


def test_clips_that_do_not_fit_are_named(model):
    shared = Windows(model.encoder, FACTS, [torch.zeros(0), torch.zeros(16001)], ["empty", "long"])
    with pytest.raises(UserError, match=r"empty has 0 samples, .* bad_clips: set_aside"):
        shared.start(0)
    with pytest.raises(UserError, match=r"long lasts 1\.0 s, and a window of whisper-tiny is 30 s"):
        shared.start(1)


@pytest.mark.parametrize("policy", POLICIES)
@torch.no_grad()
def test_silence_has_nothing_to_prune_within_the_sound(model, policy):
    shared = Windows(model.encoder, FACTS, [torch.zeros(8000), *waves((0.5, 1.0))], ["silence", "noise", "full"])
    for budget in ("fixed",) if policy in ("random", "stride", "pool") else ("fixed", "threshold"):
        arm = Arm(settings(policy=policy, keep_rate=0.25, within="sound", budget=budget), shared)
        if budget == "threshold":
            arm.calibrate([0, 1, 0])
            arm.taus[0] = arm.taus[1]
        found = [arm.encode(clip)[1] for clip in range(3)]
        assert found[0].sound == 0
        assert found[0].tokens == [P] * 5
        assert found[2].tokens[0] == P > found[2].tokens[-1] > 0
