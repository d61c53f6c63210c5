"""Blank: keep the frames that a CTC head would not call blank (after key frames, arXiv 2310.14954, and Skipformer,
arXiv 2403.08258).

A frame's score is 1 - p(blank) of a recogniser's auxiliary head, which reads the tokens before the first selection; it
is carried along, and later blocks rank by it again. So it runs on recognisers with such a head alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.facts.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from audioprune.facts.tokens import Tokens
    from audioprune.models.pruner import Pruner, View

FACTS = Method(name="blank", runs_on=("frames",))


def build(tokens: Tokens) -> Pruner:
    from audioprune.models.pruner import Pruner

    return Pruner(said)


def said(view: View) -> Tensor:
    """Scores of all tokens of the input (B, P) -> of those that are left, (B, n)."""
    assert view.score is not None
    return view.score.gather(1, view.patches)
