"""The home that a service is started over."""

from __future__ import annotations

from tests.service.conftest import written_home

__all__ = ["written_home"]
