"""A shared store that is published to by way of a store of one's own."""

from __future__ import annotations

from pathlib import Path

from tideline.store.base import ModelVersion
from tideline.store.bento import BentoStore
from tideline.store.claims import is_withdrawn
from tideline.store.objects import ObjectStore


class Outbox(ObjectStore):
    """What a training publishes through: first into its own BentoML home, then to all.

    The own store gives a number of its own; the shared one's is the one that counts. When the
    shared store cannot be reached for longer than `patience`, publishing fails, and the version
    stays in the own store. Where that outlives the attempt, as the home of a machine does, the
    same run started again finds it there and sends it, and nothing is trained anew. In a cluster
    the home goes with the pod: what was not sent in time is lost, and the next attempt trains
    again. So whoever publishes there is as patient as its time allows.

    Parameters
    ----------
    shared
        The shared store's URL.
    own
        The BentoML home of this run or machine.
    patience
        Seconds over which each request to the shared store is tried again.
    """

    def __init__(self, shared: str, own: BentoStore, *, patience: float) -> None:
        super().__init__(shared, patience=patience)
        self.own = own

    def publish(self, folder: Path, name: str, *, run_id: str) -> ModelVersion:
        """Make a folder the next version of a model; see `ModelStore.publish`."""
        kept = self.own.publish(folder, name, run_id=run_id)
        return super().publish(self.own.pull(kept), name, run_id=run_id)

    def version_of_run(self, name: str, run_id: str) -> ModelVersion | None:
        """Return the version that a run has published; see `ModelStore.version_of_run`.

        One that still waits in the own store is sent now: its run need not be repeated.
        """
        published = super().version_of_run(name, run_id)
        waiting = None if published else self.own.version_of_run(name, run_id)
        if waiting is None or is_withdrawn(self.bucket, name, run_id):
            return published
        return super().publish(self.own.pull(waiting), name, run_id=run_id)
