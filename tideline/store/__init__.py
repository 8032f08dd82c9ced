"""The model store: published models, their versions and aliases."""

from tideline.store.base import LATEST, Loaded, ModelStore, ModelVersion
from tideline.store.folder import load_model, write_model
from tideline.store.opening import is_shared, open_outbox, open_replica, open_store

__all__ = [
    "LATEST",
    "Loaded",
    "ModelStore",
    "ModelVersion",
    "is_shared",
    "load_model",
    "open_outbox",
    "open_replica",
    "open_store",
    "write_model",
]
