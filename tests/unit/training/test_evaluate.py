"""Scores of a trained model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audioprune.errors import UserError
from audioprune.training.evaluate import predict
from tests.fakes.tiny_training import model, stores

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return stores(tmp_path_factory.mktemp("store"))[1]


def head(net):
    torch.nn.init.normal_(net.head.weight, std=0.5)
    return net


def test_scores_come_in_the_order_of_the_rows_whatever_the_batch(features):
    net = head(model(0.5, drop_path=0.5)).train()
    rows = np.array([5, 3, 20, 0, 7])
    scores = predict(net, features, rows, device=CPU, batch_size=2)
    assert scores.shape == (5, 2)
    assert scores.dtype == np.float32
    assert net.training  # as it was
    net.eval()
    with torch.no_grad():
        whole = net(features.fbank(rows))
    np.testing.assert_allclose(scores, whole.numpy(), atol=1e-5)
    assert np.array_equal(scores, predict(net, features, rows, device=CPU, batch_size=2))
    assert scores.std(axis=0).min() > 1e-3  # the clips do not all get the same scores


def test_bf16_is_near_and_fp16_needs_a_gpu(features):
    net = head(model())
    rows = np.arange(6)
    exact = predict(net, features, rows, device=CPU)
    near = predict(net, features, rows, device=CPU, precision="bf16")
    assert 0 < np.abs(exact - near).max() < 0.1
    with pytest.raises(UserError, match="needs a CUDA GPU"):
        predict(net, features, rows, device=CPU, precision="fp16")
