"""The site builds without a warning, and asks no other host for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, pages

FETCHED = re.compile(r"""<(?:link|script|img|iframe|source)\b[^>]*?\b(?:href|src)=["'](?:https?:)?//[^"']+""")
IMPORTED = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it, in a folder of its own."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--quiet", "-b", "html", "-d", str(out / "trees")]
    done = subprocess.run(
        [*command, str(DOCS), str(out / "html")], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return out / "html"


def test_every_page_is_built(site: Path) -> None:
    sources = {Path(name).relative_to("docs").with_suffix(".html") for name in pages() if name.startswith("docs/")}
    assert {page for page in sources if not (site / page).exists()} == set()
    assert "def target(message: Message, desk: Desk)" in re.sub(
        r"<[^>]+>", "", (site / "architecture.html").read_text(encoding="utf-8")
    )


def test_no_page_asks_another_host(site: Path) -> None:
    asked = [str(page) for page in site.rglob("*.html") if FETCHED.search(page.read_text(encoding="utf-8"))]
    asked += [str(style) for style in site.rglob("*.css") if IMPORTED.search(style.read_text(encoding="utf-8"))]
    assert asked == []
    assert FETCHED.search('<script src="https://cdn.example/x.js">')  # what is looked for is found where it is
    assert IMPORTED.search("@import url(//fonts.example/x.css)")
