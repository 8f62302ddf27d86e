"""The linear classifier of a probe: what it is fitted on, and how its strength is chosen."""

import sys

import numpy as np
import pytest

from geo_lm4ve.classification.linear import STRENGTHS, Features, ProbeError, fit_linear

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'geo_lm4ve[probe]'")


def features(count=30, classes=3, spread=0.1, seed=0, noise=0):
    """Classes round the unit vectors, with features beside them that say nothing."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    told = np.eye(classes)[labels] + spread * random.normal(size=(count, classes))
    return Features(np.concatenate([told, random.normal(size=(count, noise))], axis=1).astype("f4"), labels)


def test_classes_that_a_plane_separates_are_told_apart():
    fit = fit_linear(features(), features(seed=1))
    assert (fit.classifier.predict(features(seed=2).values) == features(seed=2).labels).all()
    assert fit.converged
    assert set(fit.held_out) == set(STRENGTHS)


def test_the_strength_is_the_smallest_of_the_best_on_held_out_samples():
    fit = fit_linear(features(spread=0.5, noise=20), features(60, spread=0.5, noise=20, seed=1))
    best = max(fit.held_out.values())
    assert fit.strength == min(strength for strength, score in fit.held_out.items() if score == best)
    assert len(set(fit.held_out.values())) > 1


def test_it_is_fitted_on_held_out_samples_too_in_the_end():
    samples = features()
    two = samples[np.flatnonzero(samples.labels < 2)]
    assert set(fit_linear(two, features(seed=1)).classifier.classes_) == {0, 1, 2}


def test_the_scale_of_features_does_not_matter():
    plain, scaled = (
        fit_linear(*(Features(each.values * factor + 5 * factor, each.labels) for each in sets))
        for sets in [(features(spread=0.5, noise=20), features(60, spread=0.5, noise=20, seed=1))]
        for factor in (1.0, 1 / 128)
    )
    assert scaled.held_out == plain.held_out


def test_one_class_alone_is_refused():
    one = Features(np.zeros((4, 2), "f4"), np.zeros(4, int))
    with pytest.raises(ProbeError, match="at least two classes; the 4 of train have one"):
        fit_linear(one, one)


def test_without_scikit_learn_the_install_line_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(ProbeError, match=r"needs scikit-learn: pip install 'geo_lm4ve\[probe\]'"):
        fit_linear(features(), features())


def test_a_solver_that_did_not_end_is_not_called_converged(monkeypatch):
    monkeypatch.setattr("geo_lm4ve.classification.linear.STEPS", 1)
    assert not fit_linear(features(spread=0.8), features(spread=0.8, seed=1)).converged
