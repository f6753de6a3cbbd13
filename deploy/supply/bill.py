"""The bill of materials: what CycloneDX's own tool makes of the lock, with what runs told from what only tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from docs.generator.licences import licence_of, runtime_distributions

RUNS, TESTS = "required", "excluded"  # CycloneDX's words for what serves or trains, and what does neither


def complete_bill(made: Mapping[str, Any], licences: Mapping[str, str]) -> dict[str, Any]:
    """Return a bill with the scope of each component and the licence of what runs.

    made: of the lock, by `cyclonedx-py requirements`. licences: of every package that runs, by its canonical name.
    Raises ValueError where one of these is not in the bill.
    """
    components = [_completed(component, licences) for component in made["components"]]
    present = {canonicalize_name(component["name"]) for component in components}
    if missing := sorted(set(licences) - present):
        raise ValueError(f"the lock lacks what the product runs on: {', '.join(missing)}; run `make lock`")
    return {**made, "components": components}


def _completed(component: Mapping[str, Any], licences: Mapping[str, str]) -> dict[str, Any]:
    kept = {name: value for name, value in component.items() if name != "description"}  # which repeats the hashes
    licence = licences.get(canonicalize_name(component["name"]))
    if licence is None:
        return kept | {"scope": TESTS}
    return kept | {"scope": RUNS, "licenses": [{"license": {"name": licence, "acknowledgement": "declared"}}]}


def main() -> None:
    """Complete the bill of one file into another: `python -m deploy.supply.bill MADE BILL`."""
    made, target = Path(sys.argv[1]), Path(sys.argv[2])
    licences: dict[str, str] = {canonicalize_name(d.metadata["Name"]): licence_of(d) for d in runtime_distributions()}
    bill = complete_bill(json.loads(made.read_text(encoding="utf-8")), licences)
    target.write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    runs = sum(component["scope"] == RUNS for component in bill["components"])
    print(f"{target}: {len(bill['components'])} components, {runs} of them run")


if __name__ == "__main__":
    main()
