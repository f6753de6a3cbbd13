"""The switch of linking: attributing consignments to persons needs a legal basis of its own, and a name."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.fault import Fault


@dataclass(frozen=True, slots=True)
class LinkingSwitch:
    """Linking is on while the file says who switched it on, and on what basis."""

    path: Path

    @property
    def on(self) -> bool:
        return self.path.exists()

    def told(self) -> dict[str, Any]:
        """Who switched it on, when, and on what legal basis; empty while it is off."""
        return dict(json.loads(self.path.read_text(encoding="utf-8"))) if self.on else {}

    def turn_on(self, by: str, basis: str, at: datetime) -> None:
        """Raises Fault where nobody or no basis is named."""
        if not by.strip() or not basis.strip():
            raise Fault("linking persons needs --by NAME and --basis TEXT, the legal basis on which it is done")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        written = json.dumps({"by": by, "basis": basis, "at": at.isoformat()}, ensure_ascii=False, indent=1)
        beside = self.path.with_suffix(".new")
        beside.write_text(written, encoding="utf-8")
        os.replace(beside, self.path)

    def turn_off(self) -> None:
        """Nobody is attributed from now on."""
        self.path.unlink(missing_ok=True)
