"""What a user can mend."""

from __future__ import annotations


class Fault(ValueError):
    """A fault of input or set-up; its message names the place and the remedy, in one line, and echoes no content."""

    exit_code = 1  # of a command that it ends
