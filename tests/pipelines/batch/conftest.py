"""What several tests of the batch share."""

from __future__ import annotations

import pytest

from pipelines.batch.report import Report
from tests.pipelines.batch.reports import report_of_a_day


@pytest.fixture(scope="module")
def report() -> Report:
    """A report of forty consignments and three refused lines."""
    return report_of_a_day()
