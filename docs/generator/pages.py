"""The list of generated pages: the name of each and the function that knows its content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.generator.columns import decisions_page, manifest_page, outcomes_page
from docs.generator.commands import commands_page
from docs.generator.controls import controls_page
from docs.generator.errors import errors_page
from docs.generator.exports import exports_page
from docs.generator.features import facts_page, features_page
from docs.generator.licences import licences_page
from docs.generator.messages import formats_page, problems_page
from docs.generator.reasons import reasons_page
from docs.generator.service import metrics_page, routes_page, settings_page, tables_page
from docs.generator.worlds import worlds_page

REFERENCE = Path(__file__).parent.parent / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "routes.md": routes_page,
    "controls.md": controls_page,
    "errors.md": errors_page,
    "metrics.md": metrics_page,
    "manifest.md": manifest_page,
    "outcomes.md": outcomes_page,
    "decisions.md": decisions_page,
    "exports.md": exports_page,
    "reasons.md": reasons_page,
    "data-problems.md": problems_page,
    "formats.md": formats_page,
    "features.md": features_page,
    "facts.md": facts_page,
    "tables.md": tables_page,
    "worlds.md": worlds_page,
    "licences.md": licences_page,
}


def generated_pages() -> dict[str, str]:
    """Return the text of each generated page by its name."""
    return {name: content() for name, content in PAGES.items()}
