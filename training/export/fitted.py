"""What a script has to rebuild, and the shortest way to say its features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tideline.errors import SpecError
from tideline.features.convolutions import plan_convolutions
from tideline.features.plan import FeaturePlan
from tideline.panel import Panel
from tideline.spec import TrainingSpec
from training.candidate import Candidate, Family
from training.export.literals import Group, Node, Writer
from training.planning import FALLBACK_SET, OPEN_SETS, sizes_of_convolutions
from training.task import Target


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model that was found, and what it was fitted to.

    Attributes
    ----------
    spec
        Says what the columns of the files mean, and which features were asked for.
    panel, target
        The training data.
    plans : mapping of family to FeaturePlan
        What was computed.
    members : sequence of (weight, Candidate)
    sharpness : float
        What the mean probabilities are sharpened by; see `tideline.blend`.
    """

    spec: TrainingSpec
    panel: Panel
    target: Target
    plans: Mapping[str, FeaturePlan]
    members: Sequence[tuple[float, Candidate]]
    sharpness: float = 1.0

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families of features that a member is fitted to, each once."""
        return tuple(dict.fromkeys(candidate.family for _, candidate in self.members))

    def planned(self, family: Family, writer: Writer) -> Node:
        """Return the call that plans a family's features for the channels of `panel`."""
        plan = self.plans[family]
        if family == "convolutions":
            features = self._n_convolutions(plan)
            if features is not None:
                writer.add_import("tideline.features.convolutions", "plan_convolutions")
                return Group(
                    "plan_convolutions(", (("", "panel"), ("features=", str(features))), ")"
                )
            return self._listed(plan, writer)
        wanted = self.spec.extract_features
        asked = wanted.default_fc_parameters, wanted.kind_to_fc_parameters
        for default, kinds in (asked, *((name, None) for name in (*OPEN_SETS, FALLBACK_SET))):
            if self._gives(plan, default, kinds):
                arguments = [("", "panel"), ("", writer.node(default))]
                arguments += [("", writer.node(kinds))] if kinds else []
                writer.add_import("tideline.features.plan", "FeaturePlan")
                return Group("FeaturePlan.for_panel(", tuple(arguments), ")")
        return self._listed(plan, writer)

    def _gives(self, plan: FeaturePlan, default: object, kinds: object) -> bool:
        if default is None and not kinds:
            return False
        try:
            if not kinds and FeaturePlan.size_for_panel(self.panel, default) != len(plan.features):  # type: ignore[arg-type]  # as the spec has them
                return False  # told at once, where there are very many channels
            return FeaturePlan.for_panel(self.panel, default, kinds) == plan  # type: ignore[arg-type]  # as above
        except SpecError:
            return False  # a set that does not suit these channels is not what was computed

    def _n_convolutions(self, plan: FeaturePlan) -> int | None:
        """Return how many were asked for, which are a few more than there are."""
        sizes = sizes_of_convolutions(self.panel.n_cases)
        return next((n for n in sizes if plan_convolutions(self.panel, features=n) == plan), None)

    def _listed(self, plan: FeaturePlan, writer: Writer) -> Node:
        """Return a plan in full, where no call is known that gives it."""
        writer.add_import("tideline.features.plan", "FeaturePlan")
        return Group("FeaturePlan.from_json(", (("", writer.node(plan.to_json())),), ")")
