"""Starting quickly: what a process that only serves never needs is not imported by others on its behalf."""

from __future__ import annotations

import sys


def without_training_libraries() -> None:
    """Let LightGBM find neither scikit-learn nor pandas, which it would import at the cost of seconds.

    For a process that scores and does nothing else: whatever trains needs them.
    """
    for unused in ("sklearn", "pandas"):
        sys.modules.setdefault(unused, None)  # type: ignore[arg-type]
