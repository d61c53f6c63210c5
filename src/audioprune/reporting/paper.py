"""The paper under examination, by name and address, and how to cite a report of it."""

from __future__ import annotations

from audioprune.version import __version__

QUESTION = "What does token pruning do to audio transformers?"
TITLE = "Token Pruning in Audio Transformers: Optimizing Performance and Decoding Patch Importance"
AUTHORS = "T. Lee, H. Lee"
ARXIV, ARXIV_AT = "arXiv:2504.01690", "https://arxiv.org/abs/2504.01690"
WITHDRAWN = "Token Pruning Meets Audio"
OPENREVIEW_AT = "https://openreview.net/forum?id=SvCOhZRQqa"
ADDRESSES = (ARXIV_AT, OPENREVIEW_AT)  # all that a report links to outside itself


def cited(study: str, commit: str, date: str) -> str:
    """Which report it is."""
    return "; ".join(filter(None, (f"study {study}", f"commit {commit}", f"data of {date}" if date else "")))


def bibtex(study: str, commit: str, date: str) -> str:
    """Entries for the report and for the paper; `date` is that of the data, YYYY-MM-DD, or empty."""
    year = f"\n  year = {{{date[:4]}}}," if date else ""
    return (
        "@software{audioprune,\n  title = {audioprune: a reproducibility laboratory for token pruning in audio "
        f"transformers}},\n  author = {{{{The audioprune authors}}}},\n  version = {{{__version__}}},{year}\n"
        f"  note = {{Report of the {cited(study, commit, date)}}}\n}}\n"
        f"@inproceedings{{lee2025token,\n  title = {{{TITLE}}},\n  author = {{Lee, T. and Lee, H.}},\n"
        "  booktitle = {European Conference on Artificial Intelligence (ECAI)},\n  year = {2025},\n"
        "  doi = {10.3233/FAIA251136},\n  eprint = {2504.01690},\n  archivePrefix = {arXiv}\n}"
    )
