"""An image classifier as the layers that a prediction needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from ..networks.backend import keras
from ..networks.layers import LocalResponseNormalization

# In training alone.
_UNUSED = (
    keras.layers.InputLayer,
    keras.layers.Dropout,
    keras.layers.RandomFlip,
    keras.layers.RandomRotation,
    keras.layers.RandomTranslation,
)
_KNOWN = {
    keras.layers.Rescaling,
    keras.layers.Conv2D,
    keras.layers.MaxPooling2D,
    keras.layers.BatchNormalization,
    keras.layers.ReLU,
    keras.layers.Flatten,
    keras.layers.Dense,
    LocalResponseNormalization,
}


@dataclass(frozen=True, eq=False)
class PlainImages:
    """Networks that differ in their seed, each the layers that follow one another; their logits are averaged.

    They take images uint8 [rows, *shape], and give logits [rows, classes] before the temperature.
    """

    members: Sequence[Sequence[Any]]
    shape: tuple[int, int, int]
    classes: int
    temperature: float

    @classmethod
    def of(cls, network: keras.Model, temperature: float) -> PlainImages:
        """Take a network apart. Raises InputError for a layer that no architecture here has."""
        networks = [layer for layer in network.layers if isinstance(layer, keras.Model)] or [network]
        members = []
        for member in networks:
            layers = [layer for layer in member.layers if not isinstance(layer, _UNUSED)]
            if others := {type(layer).__name__ for layer in layers if type(layer) not in _KNOWN}:
                raise InputError(f"a network with {', '.join(sorted(others))} cannot be exported")
            members.append(layers)
        return cls(members, network.input_shape[1:], network.output_shape[-1], temperature)

    @property
    def is_float32(self) -> bool:
        """False of networks that were trained, and compute, in mixed precision."""
        return all(layer.compute_dtype == "float32" for layers in self.members for layer in layers)
