"""The child process that verifies a bundle before the service loads it; damaged files can crash only the child."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from service.runtime.process_tuning import without_training_libraries

without_training_libraries()

from service.scoring.bundle import golden_differences  # noqa: E402

CPU_SECONDS = 20
MEMORY_BYTES = 8 * 1024**3


def main(directory: str) -> int:
    """Exit 0 if the golden rows score as recorded, else print the number of differences."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    different = golden_differences(Path(directory))
    if different:
        print(f"{different} golden rows score otherwise than when the bundle was written", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
