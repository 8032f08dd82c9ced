"""Aliases: names such as `production` that are moved from version to version of a model."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from service.names import model_name
from tideline.store import ModelStore


class AliasMove(BaseModel):
    """Where an alias is to stand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1, description="The version's number.")
    expected: int | None = Field(
        default=None,
        ge=0,
        description="The number that the alias is believed to stand for, 0 for none. When it "
        "stands for another, it is not moved. Left out, it is moved from wherever it is.",
    )


class AliasAnswer(BaseModel):
    """Where an alias now stands."""

    name: str = Field(description="The model's name.")
    alias: str
    version: int


def alias_routes(store: ModelStore) -> APIRouter:
    """Return the route that moves aliases.

    Not under `/models`, which an ingress sends to the predictor: that only reads.
    """
    routes = APIRouter(tags=["aliases"])

    # Not a coroutine: the store blocks, so it runs in a worker thread.
    @routes.put(
        "/aliases/{name}/{alias}",
        summary="Let an alias stand for a version",
        description="A prediction names it as its `version`. `latest` is the newest version "
        "always, and is not moved. Of two who move one alias at once, one is refused with 409.",
        response_description="Where it now stands.",
    )
    def move_alias(name: str, alias: str, asked: AliasMove) -> AliasAnswer:
        moved = store.set_alias(model_name(name), alias, asked.version, expected=asked.expected)
        return AliasAnswer(name=moved.name, alias=alias, version=moved.number)

    return routes
