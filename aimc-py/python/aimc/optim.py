"""Optimizers that move tiles by their own update and all else as PyTorch does.

Analog weights know no other way than their pulses: they move by the learning rate of their group, and momentum, decay and the like do
not reach them. Numbers of a tile that lie in digital memory (weights of hardware-aware tiles, learned scales, input ranges) are
parameters as any other, for whatever the optimizer does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .nn._tile import AnalogTile, tile_of


class AnalogStep(torch.optim.Optimizer):
    """What makes any optimizer of PyTorch one for tiles; comes before it among the bases of a class."""

    def _tiles(self) -> list[tuple[AnalogTile, dict[str, Any]]]:
        pairs = [(tile_of(p), group) for group in self.param_groups for p in group["params"]]
        return [(tile, group) for tile, group in pairs if tile is not None]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One step; `closure` computes the loss and its gradient anew."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        stepped = []
        for tile, group in self._tiles():
            if group.get("maximize"):
                raise ValueError("maximize = True: tiles move against their gradient; change the sign of the loss")
            if tile.begin_step(float(group["lr"])):
                stepped.append(tile)
        super().step()  # type: ignore[call-arg]
        for tile in stepped:
            tile.end_step()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets gradients, those of tiles too."""
        super().zero_grad(set_to_none)
        for tile, _ in self._tiles():
            tile.pending = []


class AnalogSGD(AnalogStep, torch.optim.SGD):
    """Gradient descent, see `torch.optim.SGD`."""


class AnalogAdam(AnalogStep, torch.optim.Adam):
    """Adam for all that is digital, see `torch.optim.Adam`."""


class AnalogAdamW(AnalogStep, torch.optim.AdamW):
    """AdamW for all that is digital, see `torch.optim.AdamW`."""


def AnalogOptimizer(  # noqa: N802 (reads as a class)
    optimizer: type[torch.optim.Optimizer], params: Any, *args: Any, **options: Any
) -> torch.optim.Optimizer:
    """Any optimizer of PyTorch, made one for tiles; those that need a closure are none.

    >>> model = torch.nn.Linear(2, 2)
    >>> optimizer = AnalogOptimizer(torch.optim.RMSprop, model.parameters(), lr=0.1)
    >>> isinstance(optimizer, torch.optim.RMSprop)
    True
    """
    if issubclass(optimizer, torch.optim.LBFGS):
        raise TypeError("LBFGS evaluates a closure several times per step, which tiles cannot take back")
    return type(f"Analog{optimizer.__name__}", (AnalogStep, optimizer), {})(params, *args, **options)
