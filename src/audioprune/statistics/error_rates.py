"""Word and character error rates of transcripts. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence


def edit_distance(reference: Sequence, hypothesis: Sequence) -> int:
    """Fewest substitutions, insertions and deletions that turn one sequence into the other."""
    row = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(hypothesis, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != got))
    return row[-1]


def _error_rate(references: Sequence[Sequence], hypotheses: Sequence[Sequence]) -> float:
    total = sum(len(reference) for reference in references)
    if not total:
        raise ValueError("an error rate needs at least one reference unit")
    return sum(edit_distance(r, h) for r, h in zip(references, hypotheses, strict=True)) / total


def wer(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """Word error rate of one transcript, or of a corpus: all edits / all reference words."""
    references = [reference] if isinstance(reference, str) else reference
    hypotheses = [hypothesis] if isinstance(hypothesis, str) else hypothesis
    return _error_rate([r.split() for r in references], [h.split() for h in hypotheses])


def cer(reference: str | Sequence[str], hypothesis: str | Sequence[str]) -> float:
    """Character error rate, blanks counted; of one transcript or of a corpus."""
    references = [reference] if isinstance(reference, str) else reference
    hypotheses = [hypothesis] if isinstance(hypothesis, str) else hypothesis
    return _error_rate(references, hypotheses)
