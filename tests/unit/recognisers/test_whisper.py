"""A pruned Whisper against a second implementation, in loops over explicit attention maps, and against itself whole."""

from __future__ import annotations

import copy

import pytest
import torch
import whisper
from whisper.model import ModelDimensions, Whisper

import audioprune
from audioprune.errors import UserError
from audioprune.facts.tokens import keep_count
from audioprune.recognisers.whisper import PrunedEncoder
from audioprune.recognisers.whisper_states import pixels_of, sounding

P, D, HEADS, DEPTH, MELS = 50, 32, 2, 4, 80
FRAMES = 2 * P
POLICIES = ("topk", "intensity", "random", "stride", "pool", "adjacent")


def made(seed: int = 0) -> Whisper:
    """A small Whisper of random weights: 1 s windows."""
    torch.manual_seed(seed)
    model = Whisper(ModelDimensions(MELS, P, D, HEADS, DEPTH, 51865, 64, D, HEADS, 2))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def log_mel(clips: int = 2, sound: int = FRAMES, seed: int = 1) -> torch.Tensor:
    mel = torch.randn(clips, MELS, FRAMES, generator=torch.Generator().manual_seed(seed))
    mel[..., sound:] = -1.0
    return mel


@torch.no_grad()
def by_hand(model: Whisper, mel: torch.Tensor, policy: str, keep_rate: float, blocks, inside: int = P):
    """One window (mels, frames) -> its encoding (n, D) and the tokens kept, with every rule written out."""
    encoder = model.encoder
    x = torch.nn.functional.gelu(encoder.conv2(torch.nn.functional.gelu(encoder.conv1(mel[None])))).transpose(1, 2)[0]
    x = x + encoder.positional_embedding
    tokens, sizes, weighted = list(range(P)), [1.0] * P, False
    for number, block in enumerate(encoder.blocks):
        a, y = block.attn, block.attn_ln(x)
        q, k, v = (layer(y).view(-1, HEADS, D // HEADS) for layer in (a.query, a.key, a.value))
        logits = torch.einsum("ihd,jhd->hij", q, k) / (D // HEADS) ** 0.5
        if weighted:
            logits = logits + torch.tensor(sizes).log()
        x = x + a.out(torch.einsum("hij,jhd->ihd", logits.softmax(-1), v).flatten(1))
        n = sum(token < inside for token in tokens)
        if number in blocks and keep_rate < 1:
            count = keep_count(keep_rate, n)
            if policy in ("pool", "adjacent"):
                runs = [j * count // n for j in range(n)]
                if policy == "adjacent":
                    weighted = True
                    keys = k.sum(1)
                    alike = [torch.cosine_similarity(keys[j], keys[j + 1], dim=0).item() for j in range(n - 1)]
                    links = sorted(range(n - 1), key=lambda j: (-alike[j], j))[: n - count]
                    runs = [sum(j not in links for j in range(i)) for i in range(n)]
                members = [[j for j in range(n) if runs[j] == run] for run in range(count)]
                rest = [[j] for j in range(n, len(tokens))]
                groups = members + rest
            else:
                scaled = torch.einsum("ihd,jhd->hij", q[:n], k[:n]) / (D // HEADS) ** 0.5
                rank = {
                    "topk": scaled.softmax(-1).mean((0, 1)),
                    "intensity": torch.tensor([mel[:, frames_of(t)].mean().item() for t in tokens[:n]]),
                }.get(policy)
                if policy == "stride":
                    kept = [(2 * i + 1) * n // (2 * count) for i in range(count)]
                else:
                    kept = sorted(sorted(range(n), key=lambda j: (-rank[j].item(), j))[:count])
                groups = [[j] for j in [*kept, *range(n, len(tokens))]]
            x = torch.stack([sum(sizes[j] * x[j] for j in g) / sum(sizes[j] for j in g) for g in groups])
            tokens, sizes = [tokens[g[0]] for g in groups], [sum(sizes[j] for j in g) for g in groups]
        x = x + block.mlp(block.mlp_ln(x))
    return encoder.ln_post(x), tokens


def frames_of(token: int) -> list[int]:
    """A token's own two frames and one on either side, within the window."""
    return [min(max(frame, 0), FRAMES - 1) for frame in range(2 * token - 1, 2 * token + 3)]


@pytest.mark.parametrize("policy", [one for one in POLICIES if one != "random"])
@pytest.mark.parametrize(("keep_rate", "blocks"), [(0.5, (2,)), (0.3, (0, 1, 3)), (0.9, (1, 2))])
def test_tokens_and_encodings_are_those_of_the_second_implementation(policy, keep_rate, blocks):
    model, mel = made(), log_mel()
    wanted = [by_hand(model, one, policy, keep_rate, blocks) for one in mel]
    audioprune.prune_whisper(model, policy, keep_rate, blocks)
    with torch.no_grad():
        found = model.encoder(mel)
    assert model.encoder.kept.tolist() == [tokens for _, tokens in wanted]
    torch.testing.assert_close(found, torch.stack([x for x, _ in wanted]), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("policy", POLICIES)
def test_within_the_sound_all_padding_stays_and_the_share_is_of_the_sound(policy):
    model, mel = made(), log_mel(1, sound=59)  # frames: 30 tokens
    whole = copy.deepcopy(model)
    audioprune.prune_whisper(model, policy, 0.5, (1, 2), within="sound")
    with torch.no_grad():
        found = model.encoder(mel)
    kept = model.encoder.kept[0].tolist()
    assert kept == sorted(kept)
    assert [token for token in kept if token >= 30] == list(range(30, P))
    assert sum(token < 30 for token in kept) == 8  # 30 -> 15 -> 8
    if policy != "random":
        wanted, tokens = by_hand(whole, mel[0], policy, 0.5, (1, 2), inside=30)
        assert kept == tokens
        torch.testing.assert_close(found[0], wanted, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_window_does_not_depend_on_the_others_of_its_batch(policy):
    model, mel = audioprune.prune_whisper(made(), policy, 0.5, (1, 2)), log_mel(3)
    with torch.no_grad():
        together, kept = model.encoder(mel), model.encoder.kept
        for i, one in enumerate(mel):
            torch.testing.assert_close(model.encoder(one[None])[0], together[i], atol=1e-5, rtol=1e-5)
            assert model.encoder.kept[0].tolist() == kept[i].tolist()


@pytest.mark.parametrize("policy", POLICIES)
def test_at_keep_rate_1_and_after_restore_it_is_the_untouched_model_to_the_last_bit(policy):
    model, mel = made(), log_mel()
    names = list(model.state_dict())
    with torch.no_grad():
        wanted = model.encoder(mel)
        audioprune.prune_whisper(model, policy, 1.0)
        assert isinstance(model.encoder, PrunedEncoder)
        assert torch.equal(model.encoder(mel), wanted)
        audioprune.prune_whisper(model, policy, 0.5)  # anew, not on top
        assert model.encoder(mel).shape == (2, 25, D)
        assert model.restore() is model
        assert torch.equal(model.encoder(mel), wanted)
    assert list(model.state_dict()) == names
    assert not hasattr(model, "restore")
    assert model.transcribe.__func__ is Whisper.transcribe


def test_random_is_the_projects_order_and_its_seed_counts():
    mel = log_mel(1)
    kept = {}
    for seed in (0, 0, 1):
        model = audioprune.prune_whisper(made(), "random", 0.5, (2,), seed=seed)
        model.encoder(mel)
        kept.setdefault(seed, []).append(model.encoder.kept[0].tolist())
    assert kept[0][0] == kept[0][1] != kept[1][0]
    assert [len(one) for one in kept[0]] == [25, 25]


@pytest.mark.parametrize(("n", "count", "stay"), [(10, 3, [1, 5, 8]), (7, 5, [0, 2, 3, 4, 6])])
def test_stride_by_hand(n, count, stay):
    from audioprune.models.pruner import View
    from audioprune.policies.stride import even

    view = View(0, count, 0, torch.arange(n)[None], torch.zeros(1, n, 1), None)
    assert even(view)[0].nonzero().flatten().tolist() == stay


def test_pool_by_hand():
    from audioprune.policies.pool import groups

    assert groups(torch.zeros(1, 10, 1), None, 3)[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_adjacent_joins_the_strongest_links_and_of_equals_the_earlier():
    from audioprune.policies.adjacent import groups

    keys = torch.tensor([[[1.0, 0], [1, 0], [0, 1], [0, 1], [0, 1], [1, 0]]])  # links 1, 0, 1, 1, 0
    x = torch.zeros(1, 6, 1)
    assert groups(x, keys, 5)[0].tolist() == [0, 0, 1, 2, 3, 4]
    assert groups(x, keys, 3)[0].tolist() == [0, 0, 1, 1, 1, 2]
    assert groups(x, keys, 2)[0].tolist() == [0, 0, 0, 0, 0, 1]


def test_a_merged_run_counts_for_all_its_tokens_at_the_next_merge():
    from audioprune.models.pruner import Survivors
    from audioprune.models.runs import Runs
    from audioprune.policies.pool import groups

    x = torch.tensor([[[0.0], [3.0], [6.0], [10.0]]])
    state = Survivors(torch.arange(4)[None], torch.zeros(1, 4, 1), prefix=0, own_prefix=0)
    runs = Runs(groups, lambda seen: seen[..., 0])
    y, state = runs.reduce(x, state, keep_rate=0.75, block=0, seen=None)  # runs {0, 1}, {2}, {3}
    assert (y.flatten().tolist(), state.sizes.tolist()) == ([1.5, 6.0, 10.0], [[2.0, 1.0, 1.0]])
    y, state = runs.reduce(y, state, keep_rate=0.5, block=1, seen=None)  # {0, 1} and 2, {3}
    assert (y.flatten().tolist(), state.sizes.tolist(), state.patch_ids.tolist()) == ([3.0, 10.0], [[3, 1]], [[0, 3]])
    assert state.bias[0].tolist() == pytest.approx([1.0986123, 0])  # log 3, log 1
    assert runs.to("cpu") is runs  # moved as any module


def test_pixels_of_a_token_are_its_frames():
    mel = log_mel(1)
    found = pixels_of(mel)
    assert found.shape == (1, P, 4 * MELS)
    for token in (0, 7, P - 1):
        wanted = mel[0][:, frames_of(token)]
        assert torch.equal(found[0, token].view(MELS, 4), wanted)


@pytest.mark.parametrize(("frames", "tokens"), [(0, 0), (1, 1), (2, 1), (59, 30), (FRAMES - 1, P), (FRAMES, P)])
def test_sound_ends_where_frames_are_alike(frames, tokens):
    assert sounding(log_mel(2, sound=frames)) == (P if frames >= FRAMES - 1 else tokens)


def test_sound_of_a_padded_clip_is_its_length():
    wave = 0.1 * torch.randn(16000 * 3, generator=torch.Generator().manual_seed(0))
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(wave))
    assert 150 <= sounding(mel[None]) <= 151  # 3 s, and half a window of the transform


def test_encodings_of_any_number_of_tokens_can_be_decoded():
    model, mel = audioprune.prune_whisper(made(), "topk", 0.3, (1,)), log_mel()
    options = whisper.DecodingOptions(language="en", without_timestamps=True, fp16=False, sample_len=5)
    with torch.no_grad():
        encoded = model.encoder(mel)
    assert encoded.shape == (2, 15, D)
    assert torch.equal(model.encoder(encoded), encoded)
    direct, given = model.decode(mel, options), model.decode(encoded, options)
    assert [one.tokens for one in direct] == [one.tokens for one in given]
    unknown = whisper.DecodingOptions(without_timestamps=True, fp16=False, sample_len=5, beam_size=2)
    assert model.decode(mel[0], unknown).language in model.detect_language(mel[0])[1]  # beams: one clip at a time


def test_transcribe_works_on_arrays_and_times_of_words_are_refused():
    model = audioprune.prune_whisper(real_size(), "stride", 0.25, (1,))
    sound = 0.1 * torch.randn(16000, generator=torch.Generator().manual_seed(0)).numpy()
    said = {
        "language": "en",
        "fp16": False,
        "sample_len": 4,
        "temperature": (0.0, 0.4),
        "condition_on_previous_text": False,
    }
    found = model.transcribe(sound, **said)
    assert set(found) == {"text", "segments", "language"}
    assert model.encoder.kept.shape == (1, 375)
    with pytest.raises(UserError, match=r"word_timestamps=True .*model\.restore\(\)"):
        model.transcribe(sound, word_timestamps=True, **said)


def real_size() -> Whisper:
    """As many tokens as a Whisper has, little else."""
    torch.manual_seed(0)
    model = Whisper(ModelDimensions(MELS, 1500, 32, 2, 2, 51865, 64, 32, 2, 1)).eval()
    torch.nn.init.normal_(model.decoder.positional_embedding, std=0.01)  # the library leaves it as memory was
    return model


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"policy": "topkk"}, "no policy named 'topkk'; did you mean 'topk'?"),
        ({"policy": "tome"}, "no policy named 'tome'"),
        ({"policy": "topk", "score": "cls"}, "policy 'topk' has no option 'score'"),
        ({"policy": "random", "seed": "x"}, "seed="),
        ({"policy": "topk", "keep_rate": 0}, "keep_rate=0 is not in"),
        ({"policy": "topk", "blocks": (4,)}, "different, rising numbers from 0 to 3"),
        ({"policy": "topk", "blocks": 2}, "blocks=2 is no list of numbers"),
        ({"policy": "topk", "within": "speech"}, "within='speech' is none of window, sound"),
    ],
)
def test_what_does_not_exist_is_named_and_the_model_stays_whole(given, words):
    model = made()
    with pytest.raises(UserError) as caught:
        audioprune.prune_whisper(model, **given)
    assert words in str(caught.value)
    assert not isinstance(model.encoder, PrunedEncoder)
    pruned = audioprune.prune_whisper(model, "stride", 0.5).encoder
    with pytest.raises(UserError):
        audioprune.prune_whisper(model, **given)
    assert model.encoder is pruned


def test_clips_of_other_lengths_are_not_decoded_together_within_the_sound():
    model = audioprune.prune_whisper(made(), "topk", 0.5, (1,), within="sound")
    with pytest.raises(UserError, match=r"hold \[40, 60\] frames of sound: decode one clip at a time"):
        model.encoder(torch.cat([log_mel(1, sound=40), log_mel(1, sound=60)]))
    with pytest.raises(UserError, match="takes 100 frames of log-mel, not 90"):
        model.encoder(log_mel(1)[..., :90])
