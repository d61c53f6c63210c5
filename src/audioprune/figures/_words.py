"""Words that were heard, beside those that were said: which are wrong, and lines of them in a figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audioprune.exhibits import style
from audioprune.facts.recogniser import RECOGNISERS
from audioprune.wording import clean

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

Word = tuple[str, str]  # a word, and how it is wrong: "", "other", "added", "missing"
LETTERS = 100  # in a line
MOST = 3  # lines of one transcript; what runs away goes on and on
COLOURS = {"": "#222222", "other": style.RED, "added": style.RED, "missing": "#666666"}


def heard(row: Any, recogniser: str) -> list[Word]:
    """The words of a transcript as errors are counted, those that are missing in their places."""
    import jiwer

    normal = normaliser(recogniser)
    said, got = (clean(normal(row[name])) for name in ("reference", "text"))
    if not said:
        return [(word, "added") for word in got.split()]
    found: list[Word] = []
    one = jiwer.process_words(said, got)
    reference, words = one.references[0], one.hypotheses[0]
    for part in one.alignments[0]:
        if part.type == "delete":
            found += [(word, "missing") for word in reference[part.ref_start_idx : part.ref_end_idx]]
        else:
            how = {"equal": "", "substitute": "other", "insert": "added"}[part.type]
            found += [(word, how) for word in words[part.hyp_start_idx : part.hyp_end_idx]]
    return found


def normaliser(recogniser: str) -> Any:
    """What transcripts of a recogniser pass before errors are counted: Whisper's English normaliser; of others none."""
    if recogniser not in RECOGNISERS:
        return str
    from whisper.normalizers import EnglishTextNormalizer

    return EnglishTextNormalizer()


def lines(words: Sequence[Word]) -> list[list[Word]]:
    """Broken into lines; what does not fit into a few of them ends in an ellipsis."""
    found: list[list[Word]] = [[]]
    for word, how in words:
        if sum(len(one) + 1 for one, _ in found[-1]) + len(word) > LETTERS and found[-1]:
            if len(found) == MOST:
                found[-1].append(("…", how))
                return found
            found.append([])
        found[-1].append((word, how))
    return found


def draw(fig: SubFigure, told: Sequence[tuple[str, Sequence[Word]]], *, left: float, top: float, line: float) -> None:
    """(whose words, the words) from the top down; `line` and places are shares of the figure."""
    from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea

    y = top
    for name, words in told:
        fig.text(left, y, name, va="top", fontsize=6.8, color="#444444")
        for own in lines(words):
            boxes: list[Any] = [
                TextArea(_shown(word, how), textprops={"color": COLOURS[how], "fontsize": 6.8}) for word, how in own
            ]
            packed = HPacker(children=boxes or [TextArea("(nothing)")], sep=3, pad=0, align="baseline")
            box = AnnotationBbox(
                packed, (left + 0.105, y), xycoords=fig.transSubfigure, box_alignment=(0, 1), frameon=False, pad=0
            )
            fig.add_artist(box)
            y -= line


def _shown(word: str, how: str) -> str:
    """Words that are missing are struck through."""
    if how == "missing":
        return "".join(f"{letter}\u0336" for letter in word)
    return f"+{word}" if how == "added" else word
