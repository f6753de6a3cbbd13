"""What a worker of `tamis serve` starts with: its log first, so that all that follows is written in its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.runtime.log_lines import log_lines
from service.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


def create() -> FastAPI:
    """Create the application by the settings of the installation."""
    settings = Settings()
    log_lines(settings.log)
    from service.app import create as created  # some libraries warn while they are loaded

    return created(settings)
