"""`pipeline.py`: a script that fits the published model again, without a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tideline.features.plan import FeaturePlan
from tideline.panel import Panel
from tideline.spec import TrainingSpec
from training.candidate import Candidate
from training.export import with_tideline, with_tsfresh
from training.export.fitted import Fitted
from training.task import Target

__all__ = ["script"]


def script(
    spec: TrainingSpec,
    panel: Panel,
    target: Target,
    plans: Mapping[str, FeaturePlan],
    members: Sequence[tuple[float, Candidate]],
    *,
    sharpness: float = 1.0,
) -> str:
    """Return a script that rebuilds a model from its training data, and gives its predictions.

    Its features are computed by Tideline; by tsfresh alone where they all are tsfresh's own, of
    the series as they are. Nothing of the data is in it but the names of channels and classes.

    Parameters
    ----------
    spec
        Of the run.
    panel, target
        The training data. The names and lengths of the series are looked at.
    plans : mapping of family to FeaturePlan
        The features that the members were fitted to.
    members : sequence of (weight, Candidate)
        What was published.
    sharpness
        What its mean probabilities are sharpened by; see `tideline.blend`.

    Returns
    -------
    str
        Python, to be run as `python pipeline.py TRAIN_DATA [TRAIN_LABELS] DATA`. It prints one
        JSON object, `{id: {class: probability}}` or `{id: value}`.

    Raises
    ------
    ValueError
        When a parameter of a member cannot be written as Python.
    """
    fitted = Fitted(spec, panel, target, plans, members, sharpness)
    if with_tsfresh.suffices(fitted):
        return with_tsfresh.script(fitted)
    return with_tideline.script(fitted)
