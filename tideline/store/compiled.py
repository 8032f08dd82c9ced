"""Whether what a loaded pipeline hands to compiled code can be followed by it.

The compiled code of scikit-learn believes what the state of a fitted model says of itself: a tree
whose node lies outside of its nodes is followed there, which ends the process or reads what is
nobody's business. So each such state is looked at once, before the pipeline is asked anything.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.metrics._dist_metrics import DistanceMetric64, SEuclideanDistance64
from sklearn.neighbors import KDTree
from sklearn.neighbors._ball_tree import BallTree
from sklearn.neighbors._base import NeighborsBase
from sklearn.svm._base import BaseLibSVM
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import Tree

ONE_AXIS, TWO_AXES = 1, 2
KERNELS = frozenset({"linear", "poly", "rbf", "sigmoid"})
CLASSIFYING = ("c_svc", "nu_svc")
"""The machines of libsvm that have classes."""
COUNTS_OF_NO_CLASSES = 2
"""Of how many classes libsvm counts the vectors where a machine has none."""


def require_followable(root: object) -> None:
    """Look at all that compiled code follows unchecked, in one walk over what an object holds.

    Raises
    ------
    ValueError
        Where a tree, a booster's tree, a tree of neighbours or a support vector machine leads out
        of its arrays, does not fit the model that holds it, or a model hides one of its methods.
    """
    everything = list(_everything(root))
    for held in everything:
        if isinstance(held, BaseEstimator):
            _require_methods(held)
    # In this order: the last one asks a model for its first guess, when all else is looked at.
    for kinds, require in _LOOKS:
        for held in everything:
            if isinstance(held, kinds):
                require(held)


def _everything(root: object) -> Iterator[Any]:
    """Yield an object and all that it holds, each once."""
    seen: dict[int, object] = {}  # the objects are kept, so that no id is given twice
    waiting = [root]
    while waiting:
        held = waiting.pop()
        if id(held) in seen or isinstance(held, str | bytes | int | float | type):
            continue
        seen[id(held)] = held
        waiting.extend(_parts(held))
        yield held


def _parts(held: Any) -> list[object]:  # noqa: ANN401 - anything that a file may hold
    parts: list[object] = []
    if isinstance(held, np.ndarray):
        return held.ravel().tolist() if held.dtype.hasobject else []
    if isinstance(held, dict):
        parts += held.values()
    elif isinstance(held, list | tuple | set | frozenset):
        parts += held
    elif isinstance(held, functools.partial):
        parts += [held.func, *held.args, *held.keywords.values()]
    elif isinstance(held, MethodType):
        parts.append(held.__self__)
    parts += getattr(held, "__dict__", {}).values()
    return parts


def _expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise ValueError(what)


def _require_methods(model: BaseEstimator) -> None:
    """Refuse an attribute in the place of a method: the methods do the checks."""
    kind = type(model)
    for name in vars(model):
        if _is_method(kind, name):  # type: ignore[arg-type]  # a class is hashable
            raise ValueError(f"{name} of {kind.__name__} is a method; an attribute was found")


@functools.lru_cache(maxsize=4096)
def _is_method(kind: type, name: str) -> bool:
    own = inspect.getattr_static(kind, name, None)
    return hasattr(type(own), "__get__") and not hasattr(type(own), "__set__")


def _width(model: Any) -> int:  # noqa: ANN401 - sklearn has no types
    """Return the number of features that a model checks its input against."""
    width = vars(model).get("n_features_in_")
    if isinstance(width, np.integer):
        width = int(width)
    if type(width) is not int or width < 1:
        raise ValueError(
            f"n_features_in_ of {type(model).__name__} is {width!r}; a number above 0 is expected"
        )
    return width


def _require_tree(tree: Any) -> None:  # noqa: ANN401 - as above
    """Refuse a tree of scikit-learn unless every way through it ends at one of its leaves."""
    size = tree.capacity
    # First of all: the arrays below are as long as the tree says, not as what it holds.
    _expect(
        0 < tree.node_count == size,
        f"a tree says that it has {tree.node_count} nodes; {size} were found",
    )
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = np.flatnonzero(left != -1)
    # scikit-learn puts every node after the one above it: so no way is a circle.
    for children in (left[inner], right[inner]):
        _expect(
            bool((children > inner).all() and (children < size).all()),
            f"a node of a tree of {size} nodes is not followed by later ones of them",
        )
    asked = feature[inner]
    _expect(
        bool((asked >= 0).all() and (asked < tree.n_features).all()),
        f"a node of a tree asks for a feature that is none of its {tree.n_features}",
    )


def _require_tree_model(model: Any) -> None:  # noqa: ANN401 - as above
    tree = vars(model).get("tree_")
    if tree is not None:
        _expect(type(tree) is Tree, "tree_ of a tree model is no tree")
        _expect(
            tree.n_features == _width(model),
            f"a tree is of {tree.n_features} features; its model takes {_width(model)}",
        )


def _require_trees(model: Any) -> None:  # noqa: ANN401 - as above
    """Refuse an ensemble whose trees take other features: it checks those of its first only."""
    if "estimators_" not in vars(model):
        return
    width = _width(model)
    for tree in np.ravel(np.asarray(model.estimators_, dtype=object)):
        _expect(
            isinstance(tree, BaseDecisionTree) and "tree_" in vars(tree),
            f"{type(model).__name__} holds a {type(tree).__name__}; a fitted tree is expected",
        )
        _expect(
            _width(tree) == width,
            f"a tree takes {_width(tree)} features; its {type(model).__name__} takes {width}",
        )


def _require_stages(model: Any) -> None:  # noqa: ANN401 - as above
    """Refuse boosted trees that write into more columns than the first guess has."""
    _require_trees(model)
    if "estimators_" not in vars(model):
        return
    start = vars(model).get("init_")
    _expect(
        isinstance(start, DummyClassifier | DummyRegressor)
        or (isinstance(start, str) and start == "zero"),
        f"boosted trees begin with a {type(start).__name__}; a constant is expected",
    )
    first = model._raw_predict_init(np.zeros((1, _width(model)), dtype=np.float32))  # noqa: SLF001
    stages = model.estimators_
    _expect(
        isinstance(stages, np.ndarray)
        and stages.ndim == TWO_AXES
        and np.shape(first) == (1, stages.shape[1]),
        f"boosted trees of shape {np.shape(stages)} do not fit a first guess of shape "
        f"{np.shape(first)}",
    )


def _require_predictor(predictor: Any) -> None:  # noqa: ANN401 - as above
    """Refuse a tree of histogram gradient boosting that leads out of its nodes."""
    nodes = predictor.nodes
    _expect(
        type(nodes) is np.ndarray
        and nodes.dtype == PREDICTOR_RECORD_DTYPE
        and nodes.ndim == ONE_AXIS
        and nodes.size > 0,
        "the nodes of a boosted tree are no array of nodes",
    )
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    for side in ("left", "right"):
        children = nodes[side][inner].astype(np.int64)
        _expect(
            bool((children > inner).all() and (children < nodes.size).all()),
            f"a node of a boosted tree of {nodes.size} nodes is not followed by later ones of them",
        )
    _expect(not nodes["is_categorical"].any(), "a boosted tree splits by categories")


def _require_histograms(model: Any) -> None:  # noqa: ANN401 - as above
    """Refuse histogram gradient boosting whose trees ask for what it does not take."""
    held = vars(model)
    if "_predictors" not in held:
        return
    _expect(
        held.get("is_categorical_") is None and held.get("_preprocessor") is None,
        f"{type(model).__name__} takes categories; numbers alone are expected",
    )
    width = _width(model)
    for predictor in (one for stage in model._predictors for one in stage):  # noqa: SLF001
        _expect(type(predictor) is TreePredictor, "a boosted tree is of another type")
        nodes = predictor.nodes
        asked = nodes["feature_idx"][nodes["is_leaf"] == 0]
        _expect(
            bool((asked >= 0).all() and (asked < width).all()),
            f"a node of a boosted tree asks for a feature that is none of the {width} taken",
        )


def _require_neighbour_tree(tree: Any) -> None:  # noqa: ANN401 - as above
    """Refuse a tree of neighbours whose arrays are not of one size, or lead out of one another."""
    data, order, nodes, bounds, _leaf, _levels, n_nodes, *_counts, metric, _ = tree.__getstate__()
    n_cases, width = data.shape
    _expect(
        order.shape == (n_cases,) and bool(np.isin(order, np.arange(n_cases)).all()),
        f"a tree of neighbours of {n_cases} cases names others",
    )
    n_bounds = 2 if isinstance(tree, KDTree) else 1  # a box has two corners, a ball one centre
    _expect(
        nodes.shape == (n_nodes,) and bounds.shape == (n_bounds, n_nodes, width) and n_nodes > 0,
        f"the arrays of a tree of {n_nodes} neighbourhoods differ in length",
    )
    _require_halves(nodes, n_cases)
    _require_metric(metric, width)


def _require_halves(nodes: Any, n_cases: int) -> None:  # noqa: ANN401 - as above
    """Refuse neighbourhoods unless the first is of all cases, and each is halved by its own two."""
    first, stop = nodes["idx_start"], nodes["idx_end"]
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    left, right = 2 * inner + 1, 2 * inner + 2
    _expect(
        bool((right < len(nodes)).all())
        and first[0] == 0
        and stop[0] == n_cases
        and bool((first[left] == first[inner]).all() and (stop[right] == stop[inner]).all())
        and bool((stop[left] == first[right]).all())
        and bool((first[left] <= stop[left]).all() and (first[right] <= stop[right]).all()),
        "the neighbourhoods of a tree are not the halves of one another",
    )


def _require_metric(metric: Any, width: int) -> None:  # noqa: ANN401 - as above
    _expect(isinstance(metric, DistanceMetric64), "a tree of neighbours has no distance")
    _power, weights, _matrix = metric.__getstate__()
    # One number where there are no weights, which the standardised distance always has.
    unused = () if isinstance(metric, SEuclideanDistance64) else (0, 1)
    _expect(
        weights.size in (width, *unused),
        f"a distance has {weights.size} weights; its tree has {width} features",
    )


def _require_neighbour_model(model: Any) -> None:  # noqa: ANN401 - as above
    """Refuse neighbours whose answers are of other cases, or of no class."""
    held = vars(model)
    if "_fit_X" not in held:
        return
    width = _width(model)
    cases, answers = held["_fit_X"], held.get("_y")
    _expect(
        type(cases) is np.ndarray and cases.ndim == TWO_AXES and cases.shape[1] == width,
        f"the cases of {type(model).__name__} are no table of {width} features",
    )
    extras = held.get("effective_metric_params_") or {}
    weights = [extras[name] for name in ("V", "w") if extras.get(name) is not None]
    _expect(
        all(np.size(each) == width for each in weights),
        f"the distance of {type(model).__name__} does not weigh its {width} features",
    )
    if answers is None:
        return
    _expect(len(answers) == len(cases), f"{len(answers)} answers found, of {len(cases)} cases")
    if "classes_" in held:
        _require_classes(model, answers)


def _require_classes(model: Any, answers: Any) -> None:  # noqa: ANN401 - as above
    stop = len(vars(model)["classes_"])
    _expect(
        answers.dtype.kind == "i" and bool(((answers >= 0) & (answers < stop)).all()),
        f"a case is of none of the {stop} classes of {type(model).__name__}",
    )


def _require_machine(model: Any) -> None:  # noqa: ANN401 - as above
    """Refuse a support vector machine whose arrays are not of one size."""
    held = vars(model)
    if "support_vectors_" not in held:
        return
    _expect(
        held.get("_sparse") is False and type(model.kernel) is str and model.kernel in KERNELS,
        f"a machine of kernel {str(held.get('kernel'))[:40]!r} found; one of {sorted(KERNELS)}, "
        "on arrays, is expected",
    )
    for name, allowed in _shapes_of_machine(model).items():
        found = np.shape(held[name])
        _expect(
            found in allowed,
            f"{name} of {type(model).__name__} is of shape {found}; {max(allowed)} is expected",
        )
    _require_counts(model)


def _shapes_of_machine(model: Any) -> dict[str, set[tuple[int, ...]]]:  # noqa: ANN401 - as above
    """Return the shapes that each array of a support vector machine may have."""
    held = vars(model)
    n_classes, n_vectors = len(held["_n_support"]), len(held["support_"])
    n_pairs = n_classes * (n_classes - 1) // 2
    return {
        "support_vectors_": {(n_vectors, _width(model))},
        "_dual_coef_": {(n_classes - 1, n_vectors)},
        "_intercept_": {(n_pairs,)},
        "_probA": {(n_pairs,), (0,)},  # empty where it was fitted without probabilities
        "_probB": {np.shape(held["_probA"])},
    }


def _require_counts(model: Any) -> None:  # noqa: ANN401 - as above
    """Refuse a support vector machine whose classes have other vectors than there are."""
    held = vars(model)
    counts, n_vectors = held["_n_support"], len(held["support_"])
    _expect("_impl" not in held, "_impl of a machine is not its own")
    if model._impl in CLASSIFYING:  # noqa: SLF001 - what libsvm is told
        fits = bool((counts >= 0).all()) and counts.sum() == n_vectors and counts.ndim == ONE_AXIS
    else:
        fits = len(counts) == COUNTS_OF_NO_CLASSES
    _expect(fits, f"{n_vectors} support vectors found; {counts.tolist()[:20]} are expected")


_LOOKS: tuple[tuple[Any, Callable[[Any], None]], ...] = (
    (Tree, _require_tree),
    (BaseDecisionTree, _require_tree_model),
    ((BaseForest, IsolationForest), _require_trees),
    (TreePredictor, _require_predictor),
    (BaseHistGradientBoosting, _require_histograms),
    ((KDTree, BallTree), _require_neighbour_tree),
    (NeighborsBase, _require_neighbour_model),
    (BaseLibSVM, _require_machine),
    (BaseGradientBoosting, _require_stages),
)
