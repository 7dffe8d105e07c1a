"""t-tests of the difference of two classifiers' scores, over folds or over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..arrays import Doubles
from ..measures.paired import SIGNIFICANCE_LEVEL, format_p


@dataclass(frozen=True)
class Difference:
    """The difference of two mean scores in 0..1, with its 95 % interval and two-sided p."""

    mean: float
    low: float
    high: float
    p: float

    @property
    def is_significant(self) -> bool:
        """True if p is below 0.05, which is where the interval excludes 0."""
        return self.p < SIGNIFICANCE_LEVEL

    @property
    def formatted_p(self) -> str:
        """The p-value as it is printed: "p = 0.003" or "p < 0.0001"."""
        return f"p {format_p(self.p)}"

    def __str__(self) -> str:
        return f"{100 * self.mean:+.1f} [{_points(self.low)}, {_points(self.high)}]"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}" if abs(share) < 1 else f"{100 * share:+.0f}"


def over_folds(differences: Doubles, folds: int) -> Difference:
    """Return the mean difference over cross-validation folds, by the corrected resampled t-test.

    `differences` float64 [repeats * folds] holds the score of one classifier minus that of the other on
    each fold. Two folds share most of their training rows, so the variance of the mean is not s^2/n but
    (1/n + n_test/n_train) s^2, with n_test/n_train = 1/(folds - 1), and has n - 1 degrees of freedom.

    Folds in time order have training parts of growing size. The correction is that of the largest part and
    too small for the others, so that p and the interval are approximate.

    Nadeau & Bengio (2003), Inference for the generalization error, Machine Learning 52, section 3.1;
    for repeats, Bouckaert & Frank (2004), PAKDD, equation 3.
    """
    n = len(differences)
    return _student(differences, (1 / n + 1 / (folds - 1)) * _variance(differences), n - 1)


def over_rows(differences: Doubles) -> Difference:
    """Return the mean difference over the rows of one test part and the seeds that were run on it.

    `differences` float64 [seeds, rows] is what each row adds to the score of the first classifier less what
    it adds to that of the second, see `row_values`: of accuracy 1 where only the first is correct, -1 where
    only the second is, else 0. The variance of the mean is the sum of two parts: the variance of the rows'
    means (over seeds) divided by the rows, and that of the seeds' means (over rows) divided by the seeds. Its
    degrees of freedom are those of Satterthwaite (1946), Biometrics Bulletin 2, equation 17, as in Welch's
    t-test. With one seed this is the paired t-test over rows.

    On few rows p is bounded from below by the sign test: see `_bounded_by_sign_test`. A single row has p 1.
    """
    by_row, by_seed = differences.mean(axis=0), differences.mean(axis=1)
    if len(by_row) == 1:
        return Difference(float(by_row[0]), -1.0, 1.0, 1.0)
    parts = [(_variance(means) / len(means), len(means) - 1) for means in (by_row, by_seed) if len(means) > 1]
    variance = sum(part for part, _ in parts)
    squares = sum(part**2 / freedom for part, freedom in parts)
    freedom = variance**2 / squares if squares else 0.0
    return _bounded_by_sign_test(_student(by_row, variance, freedom), len(by_row))


def _variance(values: Doubles) -> float:
    """Return the unbiased variance; 0.0 if all values are equal, where rounding can leave a tiny one."""
    return float(values.var(ddof=1)) if np.ptp(values) else 0.0


def _student(differences: Doubles, variance: float, freedom: float) -> Difference:
    """Return the t-test of a mean whose `variance` has so many degrees of freedom.

    Without any variance, the signs of the differences alone are tested. Intervals are clipped to [-1, 1],
    as scores cannot differ by more.
    """
    n, mean = len(differences), float(differences.mean())
    if variance == 0:
        return _bounded_by_sign_test(Difference(mean, mean, mean, 0.0 if mean else 1.0), n)
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf(0.975, freedom)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    return Difference(mean, max(-1.0, mean - reach), min(1.0, mean + reach), p)


def _bounded_by_sign_test(difference: Difference, count: int) -> Difference:
    """Return the difference with p no smaller than the sign test of `count` values can have.

    A t-test trusts the spread of its sample, which is small by chance where values are few. If both
    classifiers were equally good, all `count` values would have the same sign with probability 2 * 0.5^count:
    p is never less. If that makes p 0.05 or more, the interval is extended to 0, to agree with it.
    """
    p = max(difference.p, float(2 * 0.5**count))
    low, high = difference.low, difference.high
    if p >= SIGNIFICANCE_LEVEL:
        low, high = min(low, 0.0), max(high, 0.0)
    return Difference(difference.mean, low, high, p)
