"""What a test needs, told by the fixtures that it asks for and the folder that it stands in: the marks of each."""

from __future__ import annotations

from pathlib import Path

import pytest

BY_FIXTURE = {
    "small_world": "model",
    "sealed_home": "model",
    "trained_model": "model",
    "postgresql_address": "postgres",
}
BY_FOLDER = {  # what stands in the folders of the pipelines builds worlds and learns in them, with or without a fixture
    "backtest": "model",
    "benchmark": "model",
    "browser": "browser",
    "kept": "slow",
    "monitor": "model",
    "parity": "slow",
    "synthetic": "slow",
    "training": "model",
}
BY_FILE = {  # slow: seconds of CPU each, and no part of what one looks at after every change
    "test_access.py": "slow",
    "test_accounts.py": "slow",
    "test_api_contract.py": "process",
    "test_app_process.py": "process",
    "test_attacks.py": "slow",
    "test_batch_kill.py": "process",
    "test_batch_on_dask.py": "process",
    "test_capacity_used.py": "slow",
    "test_checkpoint_copies.py": "slow",
    "test_command_pairs.py": "slow",
    "test_degraded.py": "slow",
    "test_distributed.py": "process",
    "test_every_column.py": "slow",
    "test_expectations.py": "slow",
    "test_explain.py": "slow",
    "test_exploration.py": "slow",
    "test_failing_disk.py": "process",
    "test_group_commit.py": "slow",
    "test_home_backup.py": "slow",
    "test_hostile_bodies.py": "process",
    "test_ingest.py": "slow",
    "test_kernels.py": "slow",
    "test_kill.py": "process",
    "test_new_fact.py": "slow",
    "test_nothing_is_left.py": "slow",
    "test_oidc.py": "slow",
    "test_outages.py": "process",
    "test_outages_of_routes.py": "slow",
    "test_ownership.py": "slow",
    "test_pacing.py": "slow",
    "test_private_files.py": "slow",
    "test_proposals.py": "slow",
    "test_replay.py": "slow",
    "test_report_in_chromium.py": "browser",
    "test_result_checks.py": "slow",
    "test_serving_bundle.py": "process",
    "test_site.py": "slow",
    "test_soak.py": "process",
    "test_stateful_record.py": "slow",
    "test_stored_history.py": "slow",
    "test_stored_parties.py": "slow",
    "test_transfer_command.py": "slow",
    "test_tutorial.py": "process",
    "test_upgrade.py": "process",
    "test_verify.py": "slow",
    "test_what_if_command.py": "slow",
    "test_whose.py": "slow",
}
LONGEST = (  # minutes or most of one each: begun first, so that no worker is left alone with one of them at the end
    "test_tutorial.py",
    "05_backtest_a_policy.ipynb",
    "test_kill.py",
    "test_failing_disk.py",
    "test_console.py",
    "test_batch_kill.py",
    "test_batch_on_dask.py",
    "test_four_eyes.py",
    "test_distributed.py",
    "02_train_and_compare.ipynb",
    "test_upgrade.py",
    "test_outages.py",
    "03_add_a_feature.ipynb",
    "04_explain_a_consignment.ipynb",
    "01_look_at_a_manifest.ipynb",
)
BY_CALL = {"serving": "process", "Popen": "process"}  # what the test itself calls


def begin_with_the_longest(items: list[pytest.Item]) -> None:
    """Order tests: the files that take longest first, and all else as it was collected."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(Path(item.path).name, len(places)))


def mark_kinds(item: pytest.Item) -> None:
    """Mark a test with what it needs."""
    for kind in sorted(kinds_of(item)):
        item.add_marker(getattr(pytest.mark, kind))


def kinds_of(item: pytest.Item) -> set[str]:
    """The kinds of a test: what its fixtures rest on, which database it runs on, and where it stands."""
    fixtures = set(getattr(item, "fixturenames", ()))
    kinds = {kind for fixture, kind in BY_FIXTURE.items() if fixture in fixtures}
    kinds |= {kind for folder, kind in BY_FOLDER.items() if folder in Path(item.path).parts}
    kinds |= {kind for file, kind in BY_FILE.items() if file == Path(item.path).name}
    called = getattr(getattr(item, "function", None), "__code__", None)
    kinds |= {kind for name, kind in BY_CALL.items() if called is not None and name in called.co_names}
    on_server = "postgresql" in item.name.partition("[")[2]  # the database is one of the parameters of the test
    return kinds | ({"postgres"} if on_server else set())
