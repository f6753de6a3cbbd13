"""Where the sample messages of other parties lie."""

from __future__ import annotations

from pathlib import Path

import pytest

BESIDE = [above / "shared" / "samples" for above in Path(__file__).parents]
SAMPLES = next((folder for folder in BESIDE if folder.is_dir()), BESIDE[0])
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample messages are not beside the checkout")
