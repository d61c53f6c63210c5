"""Token merging (ToMe, Bolya et al. 2023; FastAST, Behera et al. 2024): similar tokens are merged, none is discarded.

How tokens are merged says models.merge. How many go, with n non-prefix tokens entering a block:

    r           r in every block, at most half of its tokens, whatever keep-rate and blocks say: ToMe's and FastAST's
    keep_rate   at the selecting blocks as many as topk prunes there, n - ceil(keep_rate n); below 0.5 there are not
                enough sources

# DIFFERS: the released ToMe switches proportional attention off for MAE models and in training; here it is on
everywhere unless proportional=False, so that AudioMAE and AST differ in nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.errors import UserError
from audioprune.facts.method import Method

if TYPE_CHECKING:
    from audioprune.facts.tokens import Tokens
    from audioprune.models.merge import Merger

FACTS = Method(name="tome", ranks=False, merges=True, least=0.5, constant="r")


def build(tokens: Tokens, *, r: int | None = None, proportional: bool = True) -> Merger:
    """r: merges in every block; None: as many as the keep-rate says. proportional: attention by number of patches."""
    from audioprune.models.merge import Merger

    if r is not None and (not isinstance(r, int) or isinstance(r, bool) or r < 0):
        raise UserError(f"tome: r={r!r} is not the number of merges in every block; for example r=20")
    return Merger(r, proportional=proportional)
