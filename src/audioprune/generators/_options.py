"""Options of a generator: known names only, each of the type of its default."""

from __future__ import annotations

from audioprune.errors import UserError
from audioprune.registry import nearest
from audioprune.settings.data import GenerateSettings


def resolve(settings: GenerateSettings, defaults: dict) -> dict:
    """The defaults with the settings' options put over them; raises UserError for a name that is not among them."""
    for name, value in settings.options.items():
        if name not in defaults:
            raise UserError(
                f"generator {settings.generator!r} has no option {name!r}{nearest(name, defaults)} (value: {value!r})"
            )
        wanted = (int, float) if isinstance(defaults[name], float) else type(defaults[name])
        if not isinstance(value, wanted) or isinstance(value, bool) != isinstance(defaults[name], bool):
            kind = type(defaults[name]).__name__
            raise UserError(f"option {name!r} of generator {settings.generator!r} must be {kind}, not {value!r}")
    return {**defaults, **settings.options}
