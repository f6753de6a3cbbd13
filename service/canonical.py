"""The one way to write a mapping down for hashing and signing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one way to write a mapping down for hashing and signing: sorted keys, no spaces, UTF-8."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
