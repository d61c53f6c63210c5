"""The one exception that is shown to users without a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend: the message says what is wrong, where, and what to do."""
