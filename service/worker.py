"""What a worker of `tamis serve` starts with: its log first, so that all that follows is written in its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.runtime.loaded_code import forget_loaded_code
from service.runtime.log_lines import log_lines
from service.runtime.service_manager import tell_ready
from service.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


def create() -> FastAPI:
    """Create the application by the settings of the installation."""
    settings = Settings()
    log_lines(settings.log)
    from service.app import create as created  # some libraries warn while they are loaded

    return created(settings, _once_ready)


def _once_ready() -> None:
    """Keep of the libraries in memory what calls touch, and say that calls are answered."""
    forget_loaded_code()
    tell_ready()
