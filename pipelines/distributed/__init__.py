"""Distributed batches: the same features, history and trees, computed by the workers of a dask cluster."""

from pipelines.distributed.cluster import Cluster, ClusterFault, connect_workers
from pipelines.distributed.distributed_desk import DistributedDesk, distribute

__all__ = ["Cluster", "ClusterFault", "DistributedDesk", "connect_workers", "distribute"]
