"""The model store: published models, their versions and aliases."""

from tideline.store.base import Loaded, ModelStore, ModelVersion
from tideline.store.folder import load_model, write_model
from tideline.store.opening import open_store

__all__ = ["Loaded", "ModelStore", "ModelVersion", "load_model", "open_store", "write_model"]
