"""How a verdict is disputed: a message that names the claim and what it was judged on, and an address that opens it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from audioprune.reporting.paper import cited

if TYPE_CHECKING:
    from audioprune.reporting.cards import Card
    from audioprune.reporting.facts import Facts

MOST = 30  # cells that a message names: an address has room for no more than a few kilobytes
FORMS = {  # addresses of a new issue that is filled in, by the kind of forge
    "gitlab": "{at}/-/issues/new?issue[title]={subject}&issue[description]={body}",
    "": "{at}/issues/new?title={subject}&body={body}",  # GitHub, Gitea, Forgejo
}


@dataclass(frozen=True)
class Message:
    subject: str
    body: str

    @property
    def text(self) -> str:
        return f"{self.subject}\n\n{self.body}"


def message(card: Card, study: str, facts: Facts) -> Message:
    """What tells which verdict is meant: claim, wording, cells, study, version; the reader adds the reason."""
    cells = list(dict.fromkeys(path for part in card.parts for path in part.cells))
    named = [f"- {path.partition('/')[0]} {path.rpartition('/')[2]}" for path in cells[:MOST]]
    more = [f"- and {len(cells) - MOST} more"] if len(cells) > MOST else []
    body = [
        f"Claim: {card.claim} ({card.question})", f"Verdict: {card.where}", f"Judged: {card.statement}",
        f"Report: {cited(study, facts.commits, facts.date)}; audioprune {facts.version}",
        *(["Cells:", *named, *more] if cells else []), "", "What is wrong with this verdict, and why:", "",
    ]  # fmt: skip
    return Message(f"Dispute of {card.claim}: {card.where}", "\n".join(body))


def address(to: str, told: Message) -> str:
    """`to` is a repository or a mailbox; empty where it is: then a reader copies the text."""
    subject, body = quote(told.subject, safe=""), quote(told.body, safe="")
    if not to:
        return ""
    if "://" not in to:
        return f"mailto:{to}?subject={subject}&body={body}"
    host = urlsplit(to).hostname or ""
    form = next(form for name, form in FORMS.items() if name in host)
    return form.format(at=to.rstrip("/"), subject=subject, body=body)
