"""The way of cases through many trees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.panel import FloatArray


@compiled
def add_answers(
    rows: NDArray[np.float32],
    feature: NDArray[np.int32],
    threshold: FloatArray,
    children: NDArray[np.int32],
    roots: NDArray[np.int32],
    answers: FloatArray,
    out: FloatArray,
) -> None:
    """Add to each case what every tree answers for it.

    Parameters
    ----------
    rows : float32 array of shape (n_cases, n_features)
    feature, threshold : arrays of shape (n_nodes,)
        A case goes left where its feature is at most the threshold. A leaf has a feature of -1.
    children : int32 array of shape (n_nodes, 2)
        The nodes to the left and to the right; of a leaf, the first is its row of `answers`.
    roots : int32 array of shape (n_trees,)
    answers : float64 array of shape (n_answers, n_outputs)
    out : float64 array of shape (n_cases, n_outputs)
    """
    for case in range(rows.shape[0]):
        for root in roots:
            node = root
            while feature[node] >= 0:
                goes_right = not rows[case, feature[node]] <= threshold[node]
                node = children[node, 1 if goes_right else 0]
            row = children[node, 0]
            for output in range(answers.shape[1]):
                out[case, output] += answers[row, output]
