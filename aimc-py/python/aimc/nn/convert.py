"""Models onto tiles and back, and what they need."""

from __future__ import annotations

import copy
import fnmatch
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ._tile import TileConfig, analog_tiles, check_config, random_seed
from .conv import AnalogConv1d, AnalogConv2d, AnalogConv3d
from .linear import AnalogLinear
from .recurrent import AnalogGRU, AnalogGRUCell, AnalogLSTM, AnalogLSTMCell, AnalogRNN, AnalogRNNCell

#: PyTorch's layers, and those that take their place.
ANALOG: dict[type[torch.nn.Module], Any] = {
    torch.nn.Linear: AnalogLinear,
    torch.nn.Conv1d: AnalogConv1d,
    torch.nn.Conv2d: AnalogConv2d,
    torch.nn.Conv3d: AnalogConv3d,
    torch.nn.RNNCell: AnalogRNNCell,
    torch.nn.LSTMCell: AnalogLSTMCell,
    torch.nn.GRUCell: AnalogGRUCell,
    torch.nn.RNN: AnalogRNN,
    torch.nn.LSTM: AnalogLSTM,
    torch.nn.GRU: AnalogGRU,
}


def _config_of(
    name: str, config: TileConfig, exclude: Iterable[str], per_layer: Mapping[str, TileConfig | None]
) -> TileConfig | None:
    """The tile for the layer `name`; the last rule that fits counts."""
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude):
        return None
    for pattern, other in per_layer.items():
        if fnmatch.fnmatchcase(name, pattern):
            config = other  # type: ignore[assignment]
    return config


def convert_to_analog(  # noqa: PLR0913
    model: torch.nn.Module,
    config: TileConfig,
    *,
    exclude: Iterable[str] = (),
    per_layer: Mapping[str, TileConfig | None] | None = None,
    seed: int | None = None,
    inplace: bool = False,
) -> torch.nn.Module:
    """The model with every layer of `ANALOG` on tiles, which take its weights as far as their devices allow.

    `exclude` has patterns of names that stay digital, `per_layer` other tiles (`None`: digital) for patterns of names, of which the
    last that fits counts; `*` stands for any characters, and a pattern that fits no layer is refused. Devices and noise of a layer are
    drawn from `seed` and its name; without seed, from PyTorch's generator. A layer that is used in several places stays one.

    `torch.nn.MultiheadAttention` multiplies past its layers and stays digital, with a warning.
    """
    for given in (config, *(other for other in (per_layer or {}).values() if other is not None)):
        check_config(given)
    exclude, per_layer = list(exclude), dict(per_layer or {})
    model = model if inplace else copy.deepcopy(model)
    seed = random_seed() if seed is None else seed
    found: dict[str, torch.nn.Module] = {}
    _find(model, "", found, set())
    for pattern in [*exclude, *per_layer]:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in found):
            raise ValueError(f"{pattern!r} fits none of the layers {', '.join(found) or '(there are none)'}")
    converted: dict[int, torch.nn.Module] = {}
    for name, layer in found.items():
        own = _config_of(name, config, exclude, per_layer)
        if own is not None:
            converted[id(layer)] = ANALOG[type(layer)].from_digital(layer, own, seed, name)
    return _replaced(model, converted)


def _find(module: torch.nn.Module, name: str, found: dict[str, torch.nn.Module], seen: set[int]) -> None:
    """Notes all layers that can be converted."""
    if id(module) in seen:
        return
    seen.add(id(module))
    if type(module) in ANALOG:
        found[name] = module
        return
    if isinstance(module, torch.nn.MultiheadAttention):
        warnings.warn(f"{name}: torch.nn.MultiheadAttention multiplies past its layers and stays digital", stacklevel=3)
        return
    if isinstance(module, torch.nn.TransformerEncoderLayer):
        # Its fast path would read weights past the tiles.
        module.activation_relu_or_gelu = 0
    for part, child in module.named_children():
        _find(child, f"{name}.{part}" if name else part, found, seen)


def _replaced(module: torch.nn.Module, by: Mapping[int, torch.nn.Module]) -> torch.nn.Module:
    """The module with parts replaced."""
    if id(module) in by:
        return by[id(module)]
    for parent in list(module.modules()):
        for part, child in list(parent._modules.items()):
            if child is not None and id(child) in by:
                parent._modules[part] = by[id(child)]
    return module


def convert_to_digital(
    model: torch.nn.Module, *, products_per_input: int | None = None, inplace: bool = False
) -> torch.nn.Module:
    """The model with PyTorch's own layers again; weights as they are, or as so many products per input tell them."""
    model = model if inplace else copy.deepcopy(model)
    kinds = tuple(ANALOG.values())
    layers = [module for module in model.modules() if isinstance(module, kinds)]
    inner = {id(part) for layer in layers for part in layer.modules() if part is not layer}
    own: list[Any] = [layer for layer in layers if id(layer) not in inner]
    return _replaced(model, {id(layer): layer.to_digital(products_per_input) for layer in own})


@dataclass(frozen=True)
class MatrixSummary:
    """One matrix: its place, its size, and what holds it."""

    name: str
    kind: str
    outputs: int
    inputs: int
    tiles: int
    arrays: int
    devices: int
    pulses: int
    #: Vectors that it multiplies for the given input; `None` without one.
    products: int | None


@dataclass(frozen=True)
class Summary:
    """All matrices of a model on tiles."""

    matrices: list[MatrixSummary]
    #: Parameters that are not on tiles.
    digital_parameters: int

    @property
    def analog_weights(self) -> int:
        """Weights on tiles."""
        return sum(m.outputs * m.inputs for m in self.matrices)

    def __str__(self) -> str:
        rows = [("matrix", "held by", "outputs x inputs", "tiles", "arrays", "devices", "pulses", "products")]
        for m in self.matrices:
            products = "" if m.products is None else str(m.products)
            size = f"{m.outputs} x {m.inputs}"
            rows.append((m.name, m.kind, size, str(m.tiles), str(m.arrays), str(m.devices), str(m.pulses), products))
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        lines.append(f"{self.analog_weights} weights on tiles, {self.digital_parameters} digital parameters")
        return "\n".join(lines)


def analog_summary(model: torch.nn.Module, *inputs: Any) -> Summary:
    """What the model has on tiles; with `inputs` of the model also how many products they cost. The model stays as it is."""
    counts: dict[str, int] = {}
    if inputs:
        probe = copy.deepcopy(model).eval()
        for name, tile in analog_tiles(probe):
            tile.unprogram()

            def count(x: torch.Tensor, name: str = name) -> None:
                counts[name] = counts.get(name, 0) + x.shape[0]

            tile.observe = count
        with torch.no_grad():
            probe(*inputs)
    matrices = []
    for name, tile in analog_tiles(model):
        outputs, in_features = tile.native.shape
        arrays, devices, pulses = tile.native.inventory()
        products = counts.get(name, 0) if inputs else None
        kind, tiles = tile.native.kind, tile.count()
        matrices.append(MatrixSummary(name, kind, outputs, in_features, tiles, arrays, devices, pulses, products))
    digital = sum(p.numel() for p in model.parameters())
    return Summary(matrices, digital)
