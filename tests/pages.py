"""Numbers of a report as its reader meets them: in rows of tables, with links that lead to cells and their commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape


@dataclass(frozen=True)
class Shown:
    """A number in a row of a table: what stands above it and beside it, and where the row's links lead."""

    exhibit: str
    group: str
    head: str
    text: str
    row: dict[str, str]
    links: tuple[str, ...]

    @property
    def value(self) -> float:
        return float(self.text.split(" ")[0].replace("−", "-"))

    @property
    def decimals(self) -> int:
        return len(self.text.split(" ")[0].partition(".")[2])

    @property
    def place(self) -> tuple[str, ...]:
        """Where it stands: the same on a page that was made again."""
        beside = (f"{head}: {text}" for head, text in self.row.items() if not re.match(r"[−+]?\d", text))
        return (self.exhibit, self.group, self.head, *beside)


def plain(markup: str) -> str:
    markup = re.sub(r"<sup>.*?</sup>", "", markup)
    return unescape(re.sub(r"<[^>]+>", " ", markup)).replace("\u00a0", " ").strip()


def tables(page: str) -> list[str]:
    """Names of the exhibits that have a table, in order."""
    return [name for name in dict.fromkeys(re.findall(r'<(?:section|div) id="([^"]+)"', page)) if _table(page, name)]


def _table(page: str, exhibit: str) -> str:
    found = re.search(rf'<(section|div) id="{exhibit}"(?:(?!</\1>).)*?(<table.*?</table>)', page, re.S)
    return found[2] if found else ""


def numbers(page: str, exhibit: str) -> tuple[Shown, ...]:
    table = _table(page, exhibit)
    heads = [" ".join(plain(one).split()) for one in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)]
    found, group = [], ""
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table.partition("</thead>")[2], re.S):
        if 'scope="rowgroup"' in row:
            group = plain(row)
            continue
        texts = [plain(one) for _, one in re.findall(r'<(td|th scope="row")[^>]*>(.*?)</t[dh]>', row, re.S)]
        if len(texts) != len(heads):  # one text over all columns
            continue
        beside, links = dict(zip(heads, texts, strict=True)), tuple(re.findall(r'href="#([^"]+)"', row))
        at = (item for item in beside.items() if re.match(r"[−+]?\d", item[1]))
        found += [Shown(exhibit, group, head, text, beside, links) for head, text in at]
    return tuple(found)


def cells(page: str, one: Shown) -> dict[str, str]:
    """{cell: the command that makes it again}, where its links lead, over rows of the explorer if there first."""
    found: dict[str, str] = {}
    ahead = [*one.links]
    while ahead:
        name = ahead.pop(0)
        target = re.search(rf'<(tr|article) id="{name}".*?</\1>', page, re.S)
        assert target, f"#{name} leads nowhere"
        if target[1] == "tr":
            ahead += re.findall(r'href="#(cell-[^"]+)"', target[0])
            continue
        (cell,) = re.findall(r"<dt>Record</dt><dd><code>results/cells/(.*?)/record.json</code>", target[0])
        (command,) = re.findall(r'<dt>Made again by</dt><dd><code class="command">(.*?)</code>', target[0])
        found[cell] = unescape(command)
    return found
