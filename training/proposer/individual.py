"""Pipelines that evolve: a gene for each of four places, of which any but the last may be empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from tpot.search_spaces.pipelines import ChoicePipeline, SequentialPipeline
from tpot.search_spaces.pipelines.sequential import SequentialPipelineIndividual

from training.proposer.kind import Gene, Kind

if TYPE_CHECKING:
    from training.candidate import Step

PLACES = ("scale", "select", "reduce", "model")
SCALE, SELECT, REDUCE, MODEL = range(4)
NOTHING = Kind(None)


class Layout(SequentialPipeline):  # type: ignore[misc]  # TPOT has no types
    """The space of pipelines.

    Parameters
    ----------
    kinds
        For each of `PLACES` the kinds that it may hold; each place but the last is empty half of
        the time, and always where there is no kind. The first of a place is what is put there
        where something has to be.
    """

    def __init__(self, kinds: Sequence[Sequence[Kind]]) -> None:
        self.kinds = [list(some) for some in kinds]
        *optional, models = self.kinds
        layers = [[*some, *[NOTHING] * max(len(some), 1)] for some in optional]
        super().__init__([ChoicePipeline(some) for some in [*layers, models]])

    def generate(self, rng: Any = None) -> Individual:  # noqa: ANN401 - a seed or a generator
        """Draw a pipeline."""
        rng = np.random.default_rng(rng)
        drawn = Individual(self, rng)
        drawn.settle(rng)
        return drawn

    def seed(self, steps: Sequence[Step], rng: np.random.Generator) -> Individual:
        """Return exactly these steps as a pipeline that evolves.

        A step of a kind that the space lacks is taken too, into the first place that is left.

        Raises
        ------
        ValueError
            When there are more steps than places, or their order is another.
        """
        genes = [NOTHING.generate() for _ in PLACES]
        for place, gene in self._places(steps):
            genes[place] = gene
        seeded = Individual(self, rng)
        seeded.genes = genes
        return seeded

    def _places(self, steps: Sequence[Step]) -> list[tuple[int, Gene]]:
        found: list[tuple[int, Gene]] = []
        for position, (_, step) in enumerate(steps):
            first = found[-1][0] + 1 if found else 0
            is_model = position == len(steps) - 1
            open_places = [MODEL] if is_model else range(first, MODEL)
            place, kind = next(
                (
                    (place, kind)
                    for place in open_places
                    for kind in self.kinds[place]
                    if kind.holds(step)
                ),
                (open_places[0] if open_places else None, Kind(step)),
            )
            if place is None:
                told = " > ".join(type(each).__name__ for _, each in steps)
                raise ValueError(f"{told} cannot be a seed: expected {', '.join(PLACES)}")
            found.append((place, kind.gene(step)))
        return found

    def __deepcopy__(self, _memo: object) -> Layout:
        """Return itself, as `Kind` does."""
        return self


class Individual(SequentialPipelineIndividual):  # type: ignore[misc]  # TPOT has no types
    """A pipeline as TPOT evolves it."""

    def __init__(self, layout: Layout, rng: Any = None) -> None:  # noqa: ANN401 - see `generate`
        super().__init__(layout.search_spaces, rng=rng)
        self.layout = layout

    @property
    def genes(self) -> list[Gene]:
        """The gene in each of `PLACES`."""
        return [choice.node for choice in self.pipeline]

    @genes.setter
    def genes(self, genes: Sequence[Gene]) -> None:
        for choice, gene in zip(self.pipeline, genes, strict=True):
            choice.node = gene

    def mutate(self, rng: Any = None) -> bool:  # noqa: ANN401 - a seed or a generator
        """Change a place; tell whether anything may have changed."""
        rng = np.random.default_rng(rng)
        changed = bool(super().mutate(rng))
        self.settle(rng)
        return changed

    def crossover(self, other: Individual, rng: Any = None) -> bool:  # noqa: ANN401 - as above
        """Take places, or parameters, of another; tell whether anything may have changed."""
        rng = np.random.default_rng(rng)
        changed = bool(super().crossover(other, rng=rng))
        self.settle(rng)
        return changed

    def settle(self, rng: np.random.Generator) -> None:
        """Give the model what it needs, and take away what makes no difference to it.

        Trees ask only for the order of values: scaling would make other pipelines of them, to be
        evaluated anew, and no better ones. A linear model without scaling converges slowly, and a
        covariance of thousands of columns takes minutes.
        """
        scale, select, reduce, model = self.genes
        if not model.kind.scaled or model.kind.reduces:
            reduce = NOTHING.generate()
        if not model.kind.scaled:
            scale = NOTHING.generate()
        elif scale.kind is NOTHING:
            scale = self.layout.kinds[SCALE][0].generate(rng)
        if model.kind.narrow and model.kind.scaled and reduce.kind is NOTHING:
            reduce = self.layout.kinds[REDUCE][0].generate(rng)
        selections = self.layout.kinds[SELECT]
        if model.kind.narrow and not model.kind.scaled and select.kind is NOTHING and selections:
            select = selections[0].generate(rng)
        self.genes = [scale, select, reduce, model]

    def steps(self) -> list[Step]:
        """Return the steps, not fitted, each named after its place."""
        made = [gene.export_pipeline() for gene in self.genes]
        return [(place, step) for place, step in zip(PLACES, made, strict=True) if step is not None]
