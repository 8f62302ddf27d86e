"""A linear classifier on given features, its strength chosen on a held-out part of the training set."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from geo_lm4ve.files import UserError

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Values of C, the inverse strength of regularisation, that are tried."""
STEPS = 2000
"""Iterations of the solver at most."""
INSTALL = "pip install 'geo_lm4ve[probe]'"

RULE = "best overall accuracy on held-out samples of train (the smaller of equals), then fitted on all of train"
"""How C is chosen, said beside every number."""


class ProbeError(UserError):
    """What keeps features from being probed: no scikit-learn, one class alone."""


@dataclass(frozen=True)
class Features:
    """Features of samples and their classes."""

    values: Float[np.ndarray, "n f"]
    labels: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.labels)

    def __getitem__(self, rows: Int[np.ndarray, " m"]) -> Features:
        """Some of the samples."""
        return Features(self.values[rows], self.labels[rows])

    def __add__(self, other: Features) -> Features:
        """Both sets, one after the other."""
        return Features(np.concatenate([self.values, other.values]), np.concatenate([self.labels, other.labels]))


@dataclass(frozen=True)
class LinearFit:
    """A fitted classifier.

    Attributes:
        classifier: of scikit-learn, with the standardisation before it.
        strength: its C.
        held_out: overall accuracy on the held-out part for each C tried.
        converged: the solver came to an end within STEPS iterations.
    """

    classifier: Any
    strength: float
    held_out: dict[float, float]
    converged: bool


def fit_linear(train: Features, held_out: Features, seed: int = 0) -> LinearFit:
    """LinearSVC on ``train`` and ``held_out`` together, with the C that RULE chooses.

    Features are brought to mean 0 and deviation 1 on the samples it is fitted on: those of one encoder may vary a
    hundred times less than another's, and the same C would mean another strength.

    Raises:
        ProbeError: scikit-learn is missing, or all samples are of one class.
    """
    if len(np.unique(train.labels)) < 2:
        raise ProbeError(f"a linear probe needs samples of at least two classes; the {len(train)} of train have one")
    scores = {}
    for strength in STRENGTHS:
        classifier = _fitted(train, strength, seed)
        scores[strength] = float((classifier.predict(held_out.values) == held_out.labels).mean())
    best = max(STRENGTHS, key=lambda strength: (scores[strength], -strength))
    classifier = _fitted(train + held_out, best, seed)
    return LinearFit(classifier, best, scores, bool(np.max(classifier[-1].n_iter_) < STEPS))


def _fitted(train: Features, strength: float, seed: int) -> Any:
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import LinearSVC
    except ImportError as error:
        raise ProbeError(f"a linear probe needs scikit-learn: {INSTALL}") from error
    svc = LinearSVC(C=strength, dual="auto", max_iter=STEPS, random_state=seed)
    classifier = make_pipeline(StandardScaler(), svc)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # LinearFit.converged says so
        return classifier.fit(train.values, train.labels)
