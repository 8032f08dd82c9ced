"""The model that the spec names: evaluated, and what is published."""

from __future__ import annotations

from tideline.errors import BudgetExceeded
from tideline.spec import ModelTrainingSpec, build_estimator
from training.candidate import Candidate
from training.choice import Choice, default_choice
from training.failures import could_not_be_fitted
from training.finder import Finder
from training.tools import Tools


def evaluate_named(
    finder: Finder, wanted: ModelTrainingSpec, tools: Tools, deadline: float
) -> Choice:
    """Evaluate the model that a spec names.

    Parameters
    ----------
    deadline
        On `time.monotonic`.

    Raises
    ------
    BudgetExceeded
        When its folds take longer.
    SearchFailed
        When it cannot be fitted.
    """
    estimator = build_estimator(str(wanted.model), wanted.model_args, wanted.random_state)
    candidate = Candidate("spec", "features", (("model", estimator),), wanted.select_features)
    tools.journal.enter("search", f"scoring {candidate.name} by {finder.part.metric}")
    found = finder.compare([candidate], deadline)
    if found:
        return default_choice(found, finder.part)
    if finder.failure is None:
        raise BudgetExceeded(
            f"{candidate.name} could not be scored in the {tools.clock.budget:g} s of the budget.",
            mend="Raise budget, name a cheaper model, or a smaller set of features.",
            field="budget",
        )
    raise could_not_be_fitted(
        f"{candidate.name} could not be fitted to the features",
        finder.failure,
        tools.workers.told_memory,
        mend="Name another model or other arguments, or leave the model out for a search.",
        field="model_training.model",
    )
