"""Optimizers whose step costs what the batch costs, not what the vocabulary costs.

Keras's optimizers update whole tables although a few hundred rows have a gradient (keras issue 19992). Here
a gradient that arrives as tf.IndexedSlices updates its rows only. A variable's gradients must all be of one
kind.
"""

from __future__ import annotations

from typing import Any

from ..options import Train
from . import convolution_kernels
from .backend import keras, tf


def build_optimizer(options: Train) -> keras.optimizers.Optimizer:
    """Return the optimizer that the options name."""
    if options.optimizer == "adadelta":
        return LazyAdadelta(float(options.learning_rate))
    return LazyAdam(float(options.learning_rate))


class _LazyOptimizer(keras.optimizers.Optimizer):  # type: ignore[misc]  # keras has no types
    """Base class, which passes a gradient to `_update` or, as distinct rows, to `_update_rows`."""

    state: list[list[keras.Variable]]  # one list of variables for each kind of state

    def update_step(self, gradient: Any, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        index = self._get_variable_index(variable)
        state = [variables[index].value for variables in self.state]
        rate = tf.cast(learning_rate, variable.dtype)
        if isinstance(gradient, tf.IndexedSlices):
            rows, values = _distinct(gradient)
            self._update_rows(rows, values, variable, rate, *state)
        else:
            self._update(gradient, variable, rate, *state)

    def _update(self, g: tf.Tensor, x: tf.Variable, rate: tf.Tensor, *state: tf.Variable) -> None:
        raise NotImplementedError

    def _update_rows(
        self, rows: tf.Tensor, g: tf.Tensor, x: tf.Variable, rate: tf.Tensor, *state: tf.Variable
    ) -> None:
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="convtext")
class LazyAdadelta(_LazyOptimizer):
    """Adadelta (Zeiler 2012, arXiv 1212.5701, algorithm 1), exactly, at the cost of the rows with a gradient.

    With a the running mean of squared gradients, d that of squared updates:

        a <- rho a + (1 - rho) g^2
        u  = sqrt((d + epsilon) / (a + epsilon)) g
        d <- rho d + (1 - rho) u^2
        x <- x - learning_rate u

    Where g is zero, x stays and a and d decay by rho. So a row may wait: `seen` is the step up to which
    its means are right, and when it is next used they first decay by rho^(steps missed).
    """

    def __init__(
        self, learning_rate: float = 1.0, rho: float = 0.95, epsilon: float = 1e-6, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: list[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        seen = [  # int64, as a GPU has no kernels for int32 variables
            self.add_variable(v.shape[:1], dtype="int64", name=f"{v.path.replace('/', '_')}_seen")
            for v in variables
        ]
        self.state = [*self.add_optimizer_variables(variables, ["squared_gradient", "squared_update"]), seen]

    def _update(self, g: tf.Tensor, x: tf.Variable, rate: tf.Tensor, *state: tf.Variable) -> None:
        mean_a, mean_d, _ = state
        tf.raw_ops.ResourceApplyAdadelta(  # the four lines above in one pass
            var=x.handle,
            accum=mean_a.handle,
            accum_update=mean_d.handle,
            lr=rate,
            rho=self.rho,
            epsilon=self.epsilon,
            grad=g,
        )

    def _update_rows(
        self, rows: tf.Tensor, g: tf.Tensor, x: tf.Variable, rate: tf.Tensor, *state: tf.Variable
    ) -> None:
        mean_a, mean_d, seen = state
        step = tf.cast(self.iterations, seen.dtype)
        missed = step - tf.gather(seen, rows)
        means = tf.gather(mean_a, rows), tf.gather(mean_d, rows)
        rho, epsilon = tf.cast(self.rho, g.dtype), tf.cast(self.epsilon, g.dtype)
        a, d, u = tf.numpy_function(  # one pass instead of fourteen
            convolution_kernels.adadelta_rows,
            [g, *means, missed, rho, epsilon],
            [g.dtype] * 3,
            stateful=False,
        )
        mean_a.scatter_update(tf.IndexedSlices(a, rows))
        mean_d.scatter_update(tf.IndexedSlices(d, rows))
        seen.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(rows), step + 1), rows))
        x.scatter_sub(tf.IndexedSlices(rate * u, rows))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="convtext")
class LazyAdam(_LazyOptimizer):
    """Adam (Kingma & Ba 2015, arXiv 1412.6980) for the rows that have a gradient, and only for them.

    Not Adam: there, momentum goes on moving a row that has no gradient, and here the row and its means
    wait. The bias correction counts all steps. On dense gradients it is Adam.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: list[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.state = list(self.add_optimizer_variables(variables, ["momentum", "velocity"]))

    def _update(self, g: tf.Tensor, x: tf.Variable, rate: tf.Tensor, *state: tf.Variable) -> None:
        momentum, velocity = state
        power_1, power_2 = self._powers(g.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=x.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=power_1,
            beta2_power=power_2,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=g,
        )

    def _update_rows(
        self, rows: tf.Tensor, g: tf.Tensor, x: tf.Variable, rate: tf.Tensor, *state: tf.Variable
    ) -> None:
        momentum, velocity = state
        power_1, power_2 = self._powers(g.dtype)
        numbers = (rate * tf.sqrt(1 - power_2) / (1 - power_1), self.beta_1, self.beta_2, self.epsilon)
        moved = tf.numpy_function(  # one pass instead of eleven
            convolution_kernels.adam_rows,
            [
                g,
                *(tf.gather(table, rows) for table in (x, momentum, velocity)),
                *(tf.cast(number, g.dtype) for number in numbers),
            ],
            [g.dtype] * 3,
            stateful=False,
        )
        for table, values in zip((x, momentum, velocity), moved, strict=True):
            table.scatter_update(tf.IndexedSlices(values, rows))

    def _powers(self, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
        step = tf.cast(self.iterations + 1, dtype)
        return tf.pow(tf.cast(self.beta_1, dtype), step), tf.pow(tf.cast(self.beta_2, dtype), step)

    def get_config(self) -> dict[str, Any]:
        config = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **config}


def _distinct(slices: tf.IndexedSlices) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the rows [n] and their gradients [n, ...], summed where a row occurs more than once."""
    rows, position = tf.unique(slices.indices)
    values = tf.cond(
        tf.size(rows) == tf.size(slices.indices),  # true for TokenConvolution; saves a copy
        lambda: slices.values,
        lambda: tf.math.unsorted_segment_sum(slices.values, position, tf.size(rows)),
    )
    return rows, values
