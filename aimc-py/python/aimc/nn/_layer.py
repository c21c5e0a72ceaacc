"""What all layers with one matrix, or one matrix per group, have in common."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ._tile import AnalogTile, TileConfig, check, random_seed


class AnalogLayer(torch.nn.Module):
    """A layer whose matrices lie on tiles, one after the other along the outputs; its bias is a parameter unless it lies there, too.

    It has no attribute `weight`: code that would multiply by it, past the tile, fails. `get_weights` gives a copy.
    """

    tiles: torch.nn.ModuleList
    bias: torch.nn.Parameter | None

    def _build(
        self,
        shape: tuple[int, int],
        groups: int,
        bias: bool,
        config: TileConfig,
        seed: int | None,
        name: str,
    ) -> None:
        """Tiles for `groups` matrices of `shape`, outputs x inputs; the draws of each have an address of its own."""
        outputs, inputs = shape
        seed = random_seed() if seed is None else seed
        names = [name] if groups == 1 else [f"{name}.group{g}" for g in range(groups)]
        self.tiles = torch.nn.ModuleList(AnalogTile(outputs, inputs, bias, config, seed, n) for n in names)
        self.has_bias = bias
        on_tile = all(tile.has_analog_bias for tile in self._all_tiles())
        digital = torch.nn.Parameter(torch.zeros(groups * outputs)) if bias and not on_tile else None
        self.register_parameter("bias", digital)

    def _all_tiles(self) -> list[AnalogTile]:
        return list(self.tiles)  # type: ignore[arg-type]

    def reset_parameters(self) -> None:
        """First weights and bias as PyTorch's own layers have them, from its generator, as far as the devices allow."""
        limit = 1.0 / math.sqrt(self._all_tiles()[0].native.shape[1])
        outputs = sum(tile.native.shape[0] for tile in self._all_tiles())
        weights = torch.empty(outputs, self._all_tiles()[0].native.shape[1]).uniform_(-limit, limit)
        bias = torch.empty(outputs).uniform_(-limit, limit) if self.has_bias else None
        self._write(weights, bias)

    def _write(self, weights: Tensor, bias: Tensor | None) -> None:
        if (bias is not None) != self.has_bias:
            raise ValueError("bias must be " + ("given" if self.has_bias else "None: the layer has none"))
        tiles = self._all_tiles()
        shape = (sum(tile.native.shape[0] for tile in tiles), tiles[0].native.shape[1])
        if tuple(weights.shape) != shape or (bias is not None and tuple(bias.shape) != shape[:1]):
            raise ValueError(f"weights and bias must have the shapes {shape} and {shape[:1]}")
        for tile, part in zip(tiles, weights.chunk(len(tiles))):
            tile.set_weights(part)
        if bias is None:
            return
        if self.bias is not None:
            with torch.no_grad():
                self.bias.copy_(check("bias", bias))
            return
        for tile, part in zip(tiles, bias.chunk(len(tiles))):
            tile.set_analog_bias(part)

    def _read(self) -> tuple[Tensor, Tensor | None]:
        """Weights [outputs, inputs] of all groups and the bias; copies."""
        weights = torch.cat([tile.weights() for tile in self._all_tiles()])
        if self.bias is not None:
            return weights, self.bias.detach().clone()
        biases = [tile.analog_bias() for tile in self._all_tiles()]
        return weights, torch.cat(biases) if self.has_bias else None  # type: ignore[arg-type]

    def _biases(self) -> list[Tensor | None]:
        """The digital bias of each group."""
        tiles = self._all_tiles()
        return [None] * len(tiles) if self.bias is None else list(self.bias.chunk(len(tiles)))

    def get_weights(self) -> tuple[Tensor, Tensor | None]:
        """Weights and bias in PyTorch's shapes, as no hardware can tell them; copies."""
        weights, bias = self._read()
        return weights.reshape(self.weight_shape()), bias

    def set_weights(self, weights: Tensor, bias: Tensor | None = None) -> None:
        """Writes weights and bias in PyTorch's shapes, as far as the devices allow."""
        if tuple(weights.shape) != self.weight_shape():
            raise ValueError(f"weights have the shape {tuple(weights.shape)}, the layer needs {self.weight_shape()}")
        self._write(weights.detach().flatten(1), None if bias is None else bias.detach())

    def estimate_weights(self, products_per_input: int = 10) -> tuple[Tensor, Tensor | None]:
        """Weights and bias as hardware can tell them: by least squares from products."""
        found = [tile.native.estimate(products_per_input) for tile in self._all_tiles()]
        weights = torch.cat([torch.from_numpy(w) for w, _ in found]).reshape(self.weight_shape())
        if not self.has_bias:
            return weights, None
        if self.bias is not None:
            return weights, self.bias.detach().clone()
        return weights, torch.cat([torch.from_numpy(offsets) for _, offsets in found])

    def weight_shape(self) -> tuple[int, ...]:
        """The shape of the weights in PyTorch's layer."""
        raise NotImplementedError

    def to_digital(self, products_per_input: int | None = None) -> torch.nn.Module:
        """PyTorch's own layer with the same weights, ideal or estimated from products."""
        digital = self._digital_twin()
        read = self.get_weights() if products_per_input is None else self.estimate_weights(products_per_input)
        weights, bias = read
        with torch.no_grad():
            digital.weight.copy_(weights)  # type: ignore[operator]
            if bias is not None:
                digital.bias.copy_(bias)  # type: ignore[operator]
        return digital.train(self.training)

    def _digital_twin(self) -> torch.nn.Module:
        raise NotImplementedError
