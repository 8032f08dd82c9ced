from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from tideline.steps import working_steps

X = np.random.default_rng(0).normal(size=(12, 4))


def test_leaves_out_what_passes_on_its_input() -> None:
    steps = Pipeline(
        [
            ("a", "passthrough"),
            ("b", None),
            ("c", make_union("passthrough", "drop")),
            ("d", make_pipeline("passthrough", make_union("passthrough"))),
            ("m", LinearRegression()),
        ]
    ).fit(X, X[:, 0])

    assert [name for name, _ in working_steps(steps.steps)] == ["m"]


def test_keeps_what_does_something_and_answers_the_same() -> None:
    steps = make_pipeline(
        StandardScaler(),
        make_union(make_union(PCA(2), "drop"), "passthrough", make_pipeline(MinMaxScaler(), None)),
        LinearRegression(),
    ).fit(X, X[:, 0])

    working = Pipeline(working_steps(steps.steps))

    np.testing.assert_array_equal(working.predict(X), steps.predict(X))
    assert len(working.steps) == 3


def test_leaves_a_weighted_union_alone() -> None:
    union = FeatureUnion([("a", "passthrough")], transformer_weights={"a": 2.0})
    steps = make_pipeline(union, LinearRegression()).fit(X, X[:, 0])

    assert working_steps(steps.steps)[0][1] is steps.steps[0][1]


def test_the_model_stays_whatever_it_is() -> None:
    assert working_steps([("m", None)]) == [("m", None)]


@pytest.mark.slow
def test_tpots_idle_steps_go_and_its_package_is_not_needed() -> None:
    # In a process of its own, because TPOT takes seconds and 250 MB to import.
    program = """
import warnings; warnings.simplefilter("ignore")
import numpy as np, skops.io
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from tpot.builtin_modules import Passthrough, SkipTransformer
from tideline.steps import working_steps
X = np.random.default_rng(0).normal(size=(12, 4))
steps = make_pipeline(
    Passthrough(), make_union(SkipTransformer(), Passthrough()), LinearRegression()
).fit(X, X[:, 0])
working = Pipeline(working_steps(steps.steps))
assert np.array_equal(working.predict(X), steps.predict(X))
print(len(working.steps), skops.io.get_untrusted_types(data=skops.io.dumps(working)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stdout.split("\n")[-2] == "1 []", done.stderr
