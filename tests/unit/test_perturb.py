"""Algorithm 1 of P0: swaps by hand, against a plain reading of its text, and in a model."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.errors import UserError
from audioprune.models.build import build_model
from audioprune.models.perturb import perturb, swap

ORDER = torch.tensor([[4, 1, 0, 3, 2, 5]])  # by descending rank; the first three are retained
#                      4      1      0   |   3      2      5
SIGNAL = torch.tensor([[True, False, True, True, False, True]])


def by_the_text(x: list[int], y: list[int]) -> list[int]:
    """As the text has it: lists by descending score."""
    return y[: len(x)] if len(x) <= len(y) else x[: len(x) - len(y)] + y


def by_text(order: list[int], signal: list[bool], count: int, test: str) -> set[int]:
    lists = {
        (kept, kind): [i for place, i in enumerate(order) if (place < count) == kept and signal[place] == kind]
        for kept in (True, False)
        for kind in (True, False)
    }
    replaced, by = {"I": (True, True), "II": (False, False), "III": (False, True)}[test]
    return set(by_the_text(lists[True, replaced], lists[False, by]) + lists[True, not replaced])


def test_by_hand():
    assert swap(ORDER, SIGNAL, 3, "I").tolist() == [[1, 3, 5]]  # signal 4, 0 <- 3, 5
    assert swap(ORDER, SIGNAL, 3, "II").tolist() == [[4, 0, 2]]  # background 1 <- 2
    assert swap(ORDER, SIGNAL, 3, "III").tolist() == [[4, 0, 3]]  # background 1 <- 3


def test_more_retained_than_pruned_keeps_the_best():
    signal = torch.tensor([[True, True, True, True, False, False]])
    assert swap(ORDER, signal, 3, "I").tolist() == [[4, 1, 3]]  # 4, 1, 0 and one to swap in: 0 leaves
    assert swap(ORDER, signal, 3, "II").tolist() == [[4, 1, 0]]  # no background is retained


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.data())
def test_agrees_with_the_text(n, data):
    order = data.draw(st.permutations(range(n)))
    signal = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    count = data.draw(st.integers(1, n))
    for test in ("I", "II", "III"):
        kept = swap(torch.tensor([order]), torch.tensor([signal]), count, test)[0].tolist()
        assert len(kept) == count
        assert set(kept) == by_text(order, signal, count, test)
        assert [order.index(i) for i in kept] == sorted(order.index(i) for i in kept)


def by_count(order: list[int], signal: list[bool], count: int, test: str) -> list[int]:
    """As many as the test changes, taken from the ends of the retained and of the pruned."""
    number = len(set(order[:count]) - by_text(order, signal, count, test))
    return order[: count - number] + order[count : count + number]


def test_controls_by_hand():
    assert swap(ORDER, SIGNAL, 3, "I-count").tolist() == [[4, 3, 2]]  # two are swapped in test I, one in II and III
    assert swap(ORDER, SIGNAL, 3, "II-count").tolist() == [[4, 1, 3]]
    assert swap(ORDER, SIGNAL, 3, "III-count").tolist() == [[4, 1, 3]]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.data())
def test_controls_swap_as_many_whatever_their_kind(n, data):
    order = data.draw(st.permutations(range(n)))
    signals = data.draw(st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=2, max_size=2))
    count = data.draw(st.integers(1, n))
    for test in ("I", "II", "III"):
        batch = torch.tensor([order, order]), torch.tensor(signals), count
        for kept, tested, signal in zip(swap(*batch, f"{test}-count").tolist(), swap(*batch, test).tolist(), signals):
            assert kept == by_count(order, signal, count, test)
            before = set(order[:count])
            assert len(before - set(kept)) == len(before - set(tested))


def model(perturbation: str, tau: float | None, **shape):
    made = build_model("audiomae-tiny", frames=128, num_classes=4, **shape)
    perturb(made.pruning.pruner, perturbation, tau)
    return made


def test_in_a_model_only_outside_training():
    x = torch.randn(2, 128, 128, generator=torch.Generator().manual_seed(0))
    x[:, 64:] -= 2  # half of the patches are background
    shape = {"method": "topk", "keep_rate": 0.7}
    plain = model("none", None, **shape)
    perturbed = model("II", -1.0, **shape)
    assert torch.equal(plain.train()(x), perturbed.train()(x))
    assert plain.eval().encode(x).shape == perturbed.eval().encode(x).shape
    assert not torch.allclose(plain.encode(x)[:, 0], perturbed.encode(x)[:, 0], atol=1e-6)
    control = model("II-count", -1.0, **shape).eval()
    for other in (plain, perturbed):
        assert not torch.allclose(control.encode(x)[:, 0], other.encode(x)[:, 0], atol=1e-6)
    all_signal = model("II", -1e9, **shape).eval()
    assert torch.equal(plain(x), all_signal(x))


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"perturbation": "I"}, "needs tau"),
        ({"perturbation": "IV", "tau": 0.0}, "'IV' is none of none, I, II, III, I-count, II-count, III-count"),
        ({"perturbation": "I", "tau": 0.0, "method": "none"}, "none prunes nothing"),
        (
            {"perturbation": "I", "tau": 0.0, "method": "intensity", "options": {"variant": "as_released"}},
            "not defined with variant as_released",
        ),
    ],
)
def test_refused(settings_, message):
    with pytest.raises(UserError, match=message):
        model(**{"tau": None, "method": "topk", "keep_rate": 0.5} | settings_)
