"""Fully connected layer on tiles."""

from __future__ import annotations

import torch
from torch import Tensor

from ._layer import AnalogLayer
from ._tile import TileConfig


class AnalogLinear(AnalogLayer):
    """y = x Wᵀ + b, as `torch.nn.Linear`, with W on tiles.

    Without `seed` the devices are drawn from PyTorch's generator; with one, `name` tells layers of the same seed apart.

    >>> from aimc.config import TrainingTileConfig
    >>> layer = AnalogLinear(4, 2, config=TrainingTileConfig(), seed=1)
    >>> layer(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        config: TileConfig,
        seed: int | None = None,
        name: str = "",
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self._build((out_features, in_features), 1, bias, config, seed, name)
        self.reset_parameters()

    @classmethod
    def from_digital(
        cls, layer: torch.nn.Linear, config: TileConfig, seed: int | None = None, name: str = ""
    ) -> AnalogLinear:
        """The same layer on tiles, which take its weights as far as their devices allow."""
        analog = cls(
            layer.in_features, layer.out_features, layer.bias is not None, config=config, seed=seed, name=name
        )
        analog.set_weights(layer.weight, layer.bias)
        return analog.train(layer.training)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1:] != (self.in_features,):
            raise ValueError(f"x has the shape {tuple(x.shape)}, its last dimension must be {self.in_features}")
        y = self._all_tiles()[0](x.reshape(-1, self.in_features), self.bias)
        return y.reshape(*x.shape[:-1], self.out_features)

    def weight_shape(self) -> tuple[int, ...]:
        return (self.out_features, self.in_features)

    def _digital_twin(self) -> torch.nn.Module:
        return torch.nn.Linear(self.in_features, self.out_features, self.has_bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.has_bias}"
