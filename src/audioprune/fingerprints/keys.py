"""Keys of cells: a digest of the settings, inputs, data and code that decide a cell's content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from audioprune.cells.cell import KEY_LENGTH
from audioprune.fingerprints.fingerprint import fingerprint
from audioprune.fingerprints.keyed import keyed
from audioprune.records import canonical
from audioprune.settings.closed import Closed

# Fields that say where data lies, not what it is: the digest of the data, the CSV as parsed included, stands in the key
# instead.
UNKEYED = {"audio": {"user": {"folder", "csv"}}}


def code_of(kind: str, plugins: tuple[str, ...]) -> str:
    """Fingerprint of a kind's code. What is fetched is pinned by its content digest, so fetching code is not keyed."""
    return "" if kind == "fetch" else fingerprint(kind, plugins)


def keyed_settings(kind: str, settings: Closed) -> dict:
    """The settings that enter the key: fields that differ from their pinned defaults, places of data left out."""
    return _without(keyed(settings), UNKEYED.get(kind, {}))


def _without(found: dict, places: Mapping[str, Iterable] | Iterable[str]) -> dict:
    """Without fields by name; {name: fields} are those of the model inside."""
    kept = dict(found)
    for name in places:
        inner = places[name] if isinstance(places, Mapping) else None
        if inner is None:
            kept.pop(name, None)
        elif isinstance(kept.get(name), dict):
            kept[name] = _without(kept[name], inner)
    return kept


def key_of(kind: str, settings: Closed, inputs: dict[str, str], digests: dict[str, str], code: str) -> str:
    """Content key: SHA-256 over canonical JSON of settings, input keys, data digests and code, cut to 16 digits."""
    content = {
        "kind": kind,
        "settings": keyed_settings(kind, settings),
        "inputs": inputs,
        "digests": digests,
        "code": code,
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:KEY_LENGTH]
