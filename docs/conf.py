"""How Sphinx builds the site: Markdown by MyST, one theme, nothing that asks another host."""

from __future__ import annotations

from importlib.metadata import version as installed

project = "Tamis"
author = "The Tamis authors"
copyright = "The Tamis authors, Apache License 2.0"
version = release = installed("tamis")
language = "en"

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = f"Tamis {release}"
html_show_sourcelink = False
html_copy_source = False
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}
