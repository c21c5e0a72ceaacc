"""Convolutions on tiles: windows of images become vectors, see `aimc_nn::window`; one tile per group."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.common_types import _size_1_t
from torch.nn.modules.utils import _ntuple

from .. import _native
from ._layer import AnalogLayer
from ._tile import TileConfig, check

Sizes = _size_1_t | tuple[int, ...]


@lru_cache(maxsize=256)
def _windows(
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
) -> _native.Windows:
    return _native.Windows(list(size), list(kernel), list(stride), list(padding), list(dilation), groups)


class _Unfold(torch.autograd.Function):
    """Images [batch, channels·area] as vectors of each group."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, windows: _native.Windows) -> tuple[Tensor, ...]:
        ctx.windows, ctx.batch = windows, x.shape[0]
        return tuple(torch.from_numpy(vectors) for vectors in windows.unfold(check("x", x).numpy()))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *d: Tensor) -> tuple[Tensor, None]:
        vectors = [check("the gradient", vectors).numpy() for vectors in d]
        return torch.from_numpy(ctx.windows.fold(vectors, ctx.batch)), None


class _Images(torch.autograd.Function):
    """Vectors of each group, one for each position, as images [batch, channels·positions]."""

    @staticmethod
    def forward(ctx: Any, windows: _native.Windows, batch: int, *vectors: Tensor) -> Tensor:
        ctx.windows = windows
        return torch.from_numpy(windows.images([v.detach().contiguous().numpy() for v in vectors], batch))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d: Tensor) -> tuple[Any, ...]:
        points = ctx.windows.to_points(check("the gradient", d).numpy())
        return None, None, *(torch.from_numpy(vectors) for vectors in points)


class _AnalogConv(AnalogLayer):
    """y = W * x + b with W on tiles."""

    dimensions: int
    digital: type[torch.nn.Module]

    def __init__(  # noqa: PLR0913 (PyTorch's signature)
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        config: TileConfig,
        seed: int | None = None,
        name: str = "",
    ) -> None:
        super().__init__()
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"groups = {groups}: must divide {in_channels} and {out_channels} channels")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(f"padding_mode = {padding_mode!r}: must be zeros, reflect, replicate or circular")
        each = _ntuple(self.dimensions)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = each(kernel_size), each(stride), each(dilation)
        self.padding, self.padding_mode = padding if isinstance(padding, str) else each(padding), padding_mode
        if self.padding not in ("same", "valid") and isinstance(self.padding, str):
            raise ValueError(f"padding = {padding!r}: must be same, valid or numbers")
        if self.padding == "same" and any(step != 1 for step in self.stride):
            raise ValueError("padding = 'same': needs a stride of 1")
        points = 1
        for size in self.kernel_size:
            points *= size
        shape = (out_channels // groups, in_channels // groups * points)
        self._build(shape, groups, bias, config, seed, name)
        self.reset_parameters()

    @classmethod
    def from_digital(cls, layer: Any, config: TileConfig, seed: int | None = None, name: str = "") -> Any:
        """The same layer on tiles, which take its weights as far as their devices allow."""
        analog = cls(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            layer.stride,
            layer.padding,
            layer.dilation,
            layer.groups,
            layer.bias is not None,
            layer.padding_mode,
            config=config,
            seed=seed,
            name=name,
        )
        analog.set_weights(layer.weight, layer.bias)
        return analog.train(layer.training)

    def _padding(self) -> list[tuple[int, int]]:
        """Points to add at either end of each dimension."""
        if self.padding == "valid":
            return [(0, 0)] * self.dimensions
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
            return [(total // 2, total - total // 2) for total in totals]
        return [(p, p) for p in self.padding]  # type: ignore[misc]

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() not in (self.dimensions + 1, self.dimensions + 2) or x.shape[-self.dimensions - 1] != self.in_channels:
            raise ValueError(
                f"x has the shape {tuple(x.shape)}, the layer needs [batch, {self.in_channels}] and "
                f"{self.dimensions} dimensions of space"
            )
        if x.dim() == self.dimensions + 1:
            return self.forward(x.unsqueeze(0)).squeeze(0)
        ends = self._padding()
        padding = tuple(low for low, _ in ends)
        if self.padding_mode != "zeros" or any(low != high for low, high in ends):
            flat = [end for low_high in reversed(ends) for end in low_high]
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            x, padding = torch.nn.functional.pad(x, flat, mode=mode), (0,) * self.dimensions
        size = tuple(x.shape[2:])
        windows = _windows(size, self.kernel_size, self.stride, padding, self.dilation, self.groups)
        vectors = _Unfold.apply(x.flatten(1), windows)
        outs = [tile(v, bias) for tile, v, bias in zip(self._all_tiles(), vectors, self._biases())]
        return _Images.apply(windows, x.shape[0], *outs).reshape(x.shape[0], self.out_channels, *windows.positions)

    def weight_shape(self) -> tuple[int, ...]:
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    def _digital_twin(self) -> torch.nn.Module:
        return self.digital(
            self.in_channels,
            self.out_channels,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.has_bias,
            self.padding_mode,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, groups={self.groups}, bias={self.has_bias}"
        )


class AnalogConv1d(_AnalogConv):
    """As `torch.nn.Conv1d`, on tiles."""

    dimensions, digital = 1, torch.nn.Conv1d


class AnalogConv2d(_AnalogConv):
    """As `torch.nn.Conv2d`, on tiles."""

    dimensions, digital = 2, torch.nn.Conv2d


class AnalogConv3d(_AnalogConv):
    """As `torch.nn.Conv3d`, on tiles."""

    dimensions, digital = 3, torch.nn.Conv3d
