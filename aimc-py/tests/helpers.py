"""Tiles without errors, and what equal means for single precision."""

from __future__ import annotations

import torch

from aimc import ideal_tile
from aimc.config import HardwareAwareTileConfig, IoConfig, TrainingTileConfig


def perfect(analog_bias: bool = False, largest: int = 512) -> TrainingTileConfig:
    """Exact products and updates."""
    tile = ideal_tile()
    mapping = tile.periphery.mapping
    mapping.digital_bias, mapping.max_input_size, mapping.max_output_size = not analog_bias, largest, largest
    return tile


def perfect_memory() -> HardwareAwareTileConfig:
    """Exact products of weights in digital memory."""
    return HardwareAwareTileConfig(forward=IoConfig(is_perfect=True))


def close(a: torch.Tensor, b: torch.Tensor, terms: int) -> None:
    """Equal up to the rounding of sums of so many terms, whose order differs: an error of √n·ε of the size of a sum is 1 σ of a
    random walk; 20 of them are allowed."""
    size = max(1.0, float(b.detach().abs().max()))
    torch.testing.assert_close(a, b, rtol=0.0, atol=20 * 6e-8 * max(terms, 1) ** 0.5 * size)
