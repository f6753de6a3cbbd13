"""Many machines give what one gives, row for row, whoever dies meanwhile; trees grown together are as good."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
import pytest

from features.assemble import assemble
from features.catalogue import INPUTS
from features.consignment import Consignments
from features.history.totals import HistoryUnavailable
from features.messages import read
from features.messages.formats import read_file
from pipelines.batch.archive import Archive
from pipelines.distributed import Cluster, ClusterFault, connect_workers, distribute
from pipelines.distributed import cluster as crews
from pipelines.distributed import distributed_desk as desk
from pipelines.distributed.distributed_desk import assemble_distributed
from pipelines.distributed.distributed_training import DistributedGrower
from pipelines.training.hyper_parameters import PARAMETERS
from pipelines.training.train import train
from pipelines.training.training_frame import TrainingFrame, build_training_frame
from pipelines.training.tree_growing import HERE, PATIENCE, Labels
from service.calls.versioning import message_of
from service.desk import Desk
from tests.pipelines.thread import NOW
from tests.worlds import SmallWorld


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of real worker processes, a core each."""
    with connect_workers("dask") as workers:
        assert workers is not None
        yield workers


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that every worker has several, and that there are several waves of them."""
    monkeypatch.setattr(desk, "CHUNK", 40)
    monkeypatch.setattr(desk, "SLICE", 70)
    monkeypatch.setattr(crews, "TASKS_PER_WORKER", 2)


@pytest.fixture
def one(small_world: SmallWorld, tmp_path: Path) -> Desk:
    """A desk of one machine, before the last day."""
    return small_world.desk(tmp_path / "home")


@pytest.fixture
def day(small_world: SmallWorld, one: Desk) -> Consignments:
    """The last day as it is read."""
    raw = read_file(small_world.last_day)
    return read(message_of(raw, one.journal.store, "day", NOW, competing="message", complete=False))[0]


@pytest.mark.usefixtures("small_chunks")
def test_rows_scores_and_reasons_are_those_of_one_machine(cluster: Cluster, one: Desk, day: Consignments) -> None:
    one.journal.settle()  # into files: what is known lies in them and in rows
    many = distribute(one, cluster)
    (rows, lost), (spread_rows, spread_lost) = one.rows(day), many.rows(day)
    assert spread_rows.frame.equals(rows.frame)
    assert spread_rows.frame.schema == rows.frame.schema
    assert lost == spread_lost == ()
    assert rows.frame["identifiers_consignments_7d"].sum() > 0  # there was a past to be read
    scores, spread_scores = one.model.score(rows), many.model.score(spread_rows)
    assert spread_scores.frame.equals(scores.frame)
    some = np.arange(0, len(day), 3)
    assert np.array_equal(spread_scores.contributions(some), scores.contributions(some))
    assert spread_scores.contributions(some[:0]).shape == scores.contributions(some[:0]).shape


@pytest.mark.usefixtures("small_chunks")
def test_without_its_past_a_batch_says_so(
    cluster: Cluster, one: Desk, day: Consignments, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: Any) -> Any:
        raise HistoryUnavailable("gone")

    monkeypatch.setattr(type(one.history), "unposted", unreadable)
    many = distribute(one, cluster)
    (rows, lost), (spread_rows, spread_lost) = one.rows(day), many.rows(day)
    assert lost == spread_lost == ("history",)
    assert spread_rows.frame.equals(rows.frame)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("deaths", [3])
def test_workers_killed_half_way_lose_nothing(
    one: Desk, day: Consignments, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    rows = one.rows(day)[0]
    told, submitted = Cluster.task, [0]
    killed: list[int] = []

    with connect_workers("dask") as cluster:
        assert cluster is not None

        def deadly(self: Cluster, *given: Any) -> Any:
            submitted[0] += 1
            if submitted[0] % 17 == 0 and len(killed) < deaths:
                victim = next(iter(self.client.run(os.getpid).values()))
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)
            return told(self, *given)

        monkeypatch.setattr(Cluster, "task", deadly)
        many = distribute(one, cluster)
        spread_rows = many.rows(day)[0]
        scores = many.model.score(spread_rows)
    assert len(set(killed)) == deaths
    assert spread_rows.frame.equals(rows.frame)
    assert scores.frame.equals(one.model.score(rows).frame)


def test_a_cluster_that_only_loses_workers_is_given_up(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import KilledWorker

    def lost(_: Any) -> Any:
        raise KilledWorker("a part", "a worker", 3)

    monkeypatch.setattr(cluster.client, "gather", lost)
    with pytest.raises(ClusterFault, match="lost 5 times"):
        cluster.surely(lambda: [])


def test_a_fault_of_the_work_itself_is_no_lost_worker(cluster: Cluster) -> None:
    with pytest.raises(ZeroDivisionError):
        cluster.surely(lambda: [cluster.task(divmod, 1, 0)])


def test_an_empty_day_needs_nobody(cluster: Cluster, one: Desk, day: Consignments) -> None:
    nobody = day.where(pl.lit(False))
    rows = distribute(one, cluster).rows(nobody)[0]
    assert rows.frame.equals(one.rows(nobody)[0].frame)


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("spark", "--engine: unknown engine; write one of local, dask or dask=ADDRESS"),
        ("dask=", "--engine: unknown engine; write one of local, dask or dask=ADDRESS"),
        ("dask=tcp://127.0.0.1:9", "no scheduler of dask answers at tcp://127.0.0.1:9"),
        ("dask=nowhere", "no scheduler of dask answers at nowhere"),
    ],
)
def test_an_engine_that_cannot_be_had_is_named(engine: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "JOINED_WITHIN", 1)
    with pytest.raises(ClusterFault, match=said), connect_workers(engine):
        pass


def test_here_needs_no_crew() -> None:
    with connect_workers("here") as cluster:
        assert cluster is None


def test_a_worker_of_another_catalogue_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.client, "run", lambda _: {"tcp://other": "another"})
    with pytest.raises(ClusterFault, match="tcp://other has another catalogue of features"):
        cluster.ready()


@pytest.fixture(scope="module")
def spread_frame(small_world: SmallWorld, cluster: Cluster) -> TrainingFrame:
    """What training learns from, worked out by the cluster."""
    archive = Archive(small_world.home / "archive", linking=True)
    return build_training_frame(archive, INPUTS, end=small_world.end, assembled=partial(assemble_distributed, cluster))


def test_training_rows_of_linked_senders_are_those_of_one_machine(spread_frame: TrainingFrame) -> None:
    frame = spread_frame
    assert frame.rows.frame.equals(assemble(frame.labelled, frame.history, frame.fits, INPUTS).frame)
    assert frame.rows.frame["network_consignments_90d"].is_not_null().any()
    assert not len(frame.history.unposted(frame.labelled))


def planted(rows: int, seed: int) -> Labels:
    """Rows whose findings depend on a number that is often unknown, on a category, and on both together."""
    draw = np.random.default_rng(seed)
    number, noise = draw.normal(size=(2, rows))
    category = draw.integers(0, 12, rows).astype(float)
    margin = 1.5 * number + np.where(category < 3, 1.5, -0.5) + np.where(category == 7, number, 0.0) - 1.5
    hit = (draw.random(rows) < 1 / (1 + np.exp(-margin))).astype(float)
    number = np.where(draw.random(rows) < 0.2, np.nan, number)
    weight = draw.uniform(0.5, 2.0, rows)
    return Labels(np.column_stack([number, category, noise]), hit, weight, ["number", "category", "noise"], [1])


def test_trees_grown_together_are_as_good_as_those_of_one_machine(cluster: Cluster) -> None:
    parameters = {name: value for name, value in PARAMETERS.items() if name != "feature_fraction"}
    learn, later = planted(6_000, 1), planted(3_000, 2)
    (booster, losses), (own, own_losses) = (
        grower.watched(parameters, learn, later) for grower in (DistributedGrower(cluster), HERE)
    )
    assert len(losses) >= np.argmin(losses) + PATIENCE  # it went on until nothing was gained for so long
    assert min(losses) < 1.01 * min(own_losses) < 0.85 * losses[0]
    margins = [one.predict(later.matrix, raw_score=True) for one in (booster, own)]
    assert np.corrcoef(margins)[0, 1] > 0.98
    assert booster.feature_name() == learn.names
    grown = [grower.grow(parameters, learn, 30).predict(later.matrix) for grower in (DistributedGrower(cluster), HERE)]
    assert np.corrcoef(grown)[0, 1] > 0.98


def test_a_worker_killed_over_its_trees_is_named_and_nothing_hangs() -> None:
    parameters = {name: value for name, value in PARAMETERS.items() if name != "feature_fraction"}
    with connect_workers("dask") as cluster:
        assert cluster is not None
        victim = next(iter(cluster.client.run(os.getpid).values()))

        def kill_in_the_middle() -> None:
            """When LightGBM has begun on the workers, and long before it is through."""
            deadline = time.monotonic() + 60
            while not any("_train_part" in key for keys in cluster.client.processing().values() for key in keys):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            time.sleep(0.8)
            os.kill(victim, signal.SIGKILL)

        killer = threading.Thread(target=kill_in_the_middle)
        killer.start()
        with pytest.raises(ClusterFault, match="a worker was lost while growing trees"):
            DistributedGrower(cluster).grow(parameters, planted(40_000, 1), 5_000)
        killer.join()


def test_a_fault_of_the_training_itself_is_told_as_it_is() -> None:
    with connect_workers("dask") as own:  # what failed once leaves LightGBM's sockets broken in its workers
        assert own is not None
        with pytest.raises(lgb.basic.LightGBMError):
            DistributedGrower(own).grow({**PARAMETERS, "max_bin": 1}, planted(500, 1), 5)


def test_a_whole_training_goes_through_the_crew(spread_frame: TrainingFrame, cluster: Cluster) -> None:
    trained = train(spread_frame, INPUTS, "together", grower=DistributedGrower(cluster))
    assert trained.model.trees is not None
    assert trained.facts["trees"] == trained.model.trees.booster.num_trees() > 1
    assert np.isfinite(trained.margin).all()
