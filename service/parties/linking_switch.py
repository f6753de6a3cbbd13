"""The switch of linking: attributing consignments to persons needs a legal basis and a responsible name."""

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
    """Linking is on while its file exists, which names the responsible person and the legal basis."""

    path: Path

    @property
    def on(self) -> bool:
        return self.path.exists()

    def authorisation(self) -> dict[str, Any]:
        """Return who switched it on, when, and on what legal basis; empty while it is off."""
        return dict(json.loads(self.path.read_text(encoding="utf-8"))) if self.on else {}

    def turn_on(self, by: str, basis: str, at: datetime) -> None:
        """Switch linking on; raises Fault where the name or the legal basis is missing."""
        if not by.strip() or not basis.strip():
            raise Fault("linking persons needs --by NAME and --basis TEXT (the legal basis)")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        written = json.dumps({"by": by, "basis": basis, "at": at.isoformat()}, ensure_ascii=False, indent=1)
        temporary = self.path.with_suffix(f".{os.getpid()}")
        temporary.write_text(written, encoding="utf-8")
        os.replace(temporary, self.path)

    def turn_off(self) -> None:
        """Switch linking off: no consignment is attributed to a person from now on."""
        self.path.unlink(missing_ok=True)
