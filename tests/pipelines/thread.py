"""The moment at which the thread of the pipelines is tried."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 11, 1, tzinfo=UTC)
