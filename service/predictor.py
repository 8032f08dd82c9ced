"""The predictor: answers for raw series, and tells of the models that there are."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError
from starlette.requests import Request

from service.cache import ModelCache
from service.forms import form_of
from service.kept import report_path
from service.multipart import Part, faults_of, posted_parts
from service.names import model_name
from service.problems import Problem
from service.settings import PredictorSettings
from tideline.errors import PayloadTooLarge, SpecError, TidelineError
from tideline.readers import read_panel
from tideline.spec import TrainingSpec, pipeline_name
from tideline.spec.document import read_document
from tideline.spec.faults import spec_error
from tideline.store import LATEST, ModelStore, ModelVersion

logger = logging.getLogger(__name__)


class PredictionParams(BaseModel):
    """The `params` of a prediction: YAML or JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline_id: Annotated[str, BeforeValidator(pipeline_name)] = Field(
        description="The name of the model."
    )
    version: str | int = Field(
        default=LATEST, description="A version's number, or an alias; the newest when left out."
    )
    probabilities: bool = Field(
        default=False, description="Answer with the probability of each class."
    )

    @classmethod
    def from_yaml(cls, text: bytes) -> PredictionParams:
        """Read the part `params`.

        It may be the parameter file of the training: what only training needs is not looked at.

        Raises
        ------
        SpecError
            When it is not a mapping of the keys above.
        """
        unused = TrainingSpec.model_fields.keys() - cls.model_fields.keys()
        told = {key: value for key, value in read_document(text).items() if key not in unused}
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            raise spec_error(error, cls) from error


class Predictor:
    """Answers from the models of a store.

    Parameters
    ----------
    store
        Where the models are.
    held
        How many loaded versions are held.
    """

    def __init__(self, store: ModelStore, held: int) -> None:
        self.store = store
        self.held = held
        self.models = ModelCache(store, held)

    def answer(self, raw_data: bytes, params: PredictionParams) -> dict[str, Any]:
        """Return one answer for each case, by its id as text.

        Raises
        ------
        DataError
            When the series cannot be read or used, or are not of the model's kind.
        ModelNotFound, ModelRefused, StoreUnavailable
            When the model cannot be loaded.
        SpecError
            When probabilities are asked of a regression.
        """
        version = self.store.resolve(params.pipeline_id, params.version)
        pipeline, document = self.models.get(version)
        if params.probabilities and document.task == "regression":
            raise SpecError(
                f"{version} is a regression, which has no probabilities.",
                mend="Leave probabilities out.",
                field="probabilities",
            )
        panel = read_panel(raw_data, document.roles).panel
        panel.require_usable()
        prediction = pipeline.predict(panel)
        return prediction.by_class() if params.probabilities else prediction.scores()

    def warm(self) -> None:
        """Load the newest version of each model, as many as are held, before anybody asks."""
        for version in list(self.store.newest().values())[: self.held]:
            try:
                self.models.get(version)
            except TidelineError as error:
                logger.warning("%s cannot be loaded: %s", version, error)

    def summaries(self) -> dict[str, dict[str, JsonValue]]:
        """Return the summary of the newest version of each model."""
        return {name: self.summary(version) for name, version in self.store.newest().items()}

    def account(self, name: str) -> dict[str, JsonValue]:
        """Return the summary of a model's newest version, its versions and its aliases.

        Raises
        ------
        ModelNotFound
            When there is no such model.
        """
        newest = self.store.resolve(name)
        versions: dict[str, JsonValue] = {v.version: self.summary(v) for v in self.store.list(name)}
        aliases: dict[str, JsonValue] = {
            alias: v.version for alias, v in self.store.aliases(name).items()
        }
        return {**self.summary(newest), "versions": versions, "aliases": aliases}

    def summary(self, version: ModelVersion) -> dict[str, JsonValue]:
        """Return the summary of a version; of a damaged one, what is wrong with it."""
        try:
            summary = self.store.describe(version).summary(version.number)
        except TidelineError as error:
            problem = Problem.of_error(error).model_dump(mode="json", exclude_none=True)
            return {"modelId": version.name, "version": version.number, "problem": problem}
        report = report_path(summary)
        return summary if report is None else {**summary, "links": {"report": report}}


def predictor_routes(predictor: Predictor, settings: PredictorSettings) -> APIRouter:
    """Return the predictor's routes."""
    routes = APIRouter(tags=["predictor"])
    at_once = CapacityLimiter(settings.predictions_at_once)

    def answered(parts: dict[str, Part]) -> dict[str, Any]:
        with faults_of("params"):
            params = PredictionParams.from_yaml(parts["params"].read())
        return predictor.answer(parts["raw_data"].read(), params)

    @routes.post(
        "/serve_prediction",
        summary="Answer for new series",
        response_description="One answer a case, by its id: for two classes the score of the "
        "later one in sorted order, for more the predicted label, for regression the value; with "
        "`probabilities: true` the probability of each class.",
        openapi_extra=form_of(
            raw_data="The series, in the columns that the model was trained on.",
            params="YAML or JSON: `pipeline_id`, and perhaps `probabilities` and `version`.",
        ),
    )
    async def serve_prediction(request: Request) -> dict[str, Any]:
        async with posted_parts(request, ("raw_data", "params")) as parts:
            _require_small(parts["raw_data"], settings.max_prediction_bytes)
            return await to_thread.run_sync(answered, parts, limiter=at_once)

    @routes.get("/models", summary="All models, each by its newest version")
    def models() -> dict[str, dict[str, JsonValue]]:
        return predictor.summaries()

    @routes.get("/models/{name}", summary="One model, with its versions and aliases")
    def model(name: str) -> dict[str, JsonValue]:
        return predictor.account(model_name(name))

    return routes


def _require_small(raw_data: Part, most: int) -> None:
    if raw_data.size > most:
        raise PayloadTooLarge(
            f"raw_data has {raw_data.size} bytes; at most {most} are predicted from at once.",
            mend="Send fewer cases in each call, or let the one who runs the service raise "
            "TIDELINE_MAX_PREDICTION_BYTES.",
            field="raw_data",
        )
