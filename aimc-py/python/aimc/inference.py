"""Models on inference chips: programming, drift, calibration, and evaluation over time.

A model keeps its tiles in training; `program_analog_weights` puts a chip beside each. In evaluation (`model.eval()`) products are those
of the chip, in training (`model.train()`) those of the tiles. A chip can only be read: a backward pass through it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from . import _native
from .config import CalibrationConfig, InferenceTileConfig
from .nn._layer import AnalogLayer
from .nn._tile import AnalogTile, analog_tiles

#: Settings of the circuits around the tiles of each matrix, by its name.
Calibration = Mapping[str, str]


def _places(model: torch.nn.Module) -> list[tuple[str, AnalogTile, Tensor | None]]:
    """All tiles with their names and digital biases; refuses models without."""
    biases: dict[int, Tensor | None] = {}
    for module in model.modules():
        if isinstance(module, AnalogLayer):
            biases.update({id(tile): bias for tile, bias in zip(module._all_tiles(), module._biases())})
    places = [(name, tile, biases.get(id(tile))) for name, tile in analog_tiles(model)]
    if not places:
        raise ValueError("the model has no layer on tiles: call convert_to_analog first")
    return places


def program_analog_weights(
    model: torch.nn.Module,
    chip: InferenceTileConfig,
    *,
    seed: int,
    event: int = 0,
    calibration: Calibration | None = None,
) -> None:
    """Programs all matrices into devices drawn from `seed`, the name of the matrix, and `event`, the number of the programming event.

    The chip is read right away; what the circuits have learned in training goes with the weights, and `calibration` before it.
    """
    _check_chip(chip)
    places = _places(model)
    unknown = set(calibration or {}) - {name for name, _, _ in places}
    if unknown:
        raise ValueError(f"the calibration has matrices that the model lacks: {', '.join(sorted(unknown))}")
    for name, tile, bias in places:
        try:
            tile.program(chip, bias, seed, event, _settings(tile, (calibration or {}).get(name)))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def _check_chip(chip: InferenceTileConfig) -> None:
    if not isinstance(chip, InferenceTileConfig):
        raise TypeError(f"chip must be an InferenceTileConfig, not {type(chip).__name__}")


def _settings(tile: AnalogTile, calibrated: str | None) -> str | None:
    """What calibration says, else what training has left."""
    if calibrated is None:
        return None
    found, own = json.loads(calibrated), json.loads(tile.native.settings())
    if len(found) != len(own):
        return calibrated
    merged = [{**b, **{k: v for k, v in a.items() if v not in (None, [])}} for a, b in zip(found, own)]
    return json.dumps(merged)


def drift_analog_weights(model: torch.nn.Module, t_inference: float, *, read: int = 0) -> None:
    """Lets all chips be what they are `t_inference` seconds after programming; another `read` has other noise of the devices."""
    for name, tile, _ in _places(model):
        try:
            tile.drift(t_inference, read)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def remove_chips(model: torch.nn.Module) -> None:
    """Takes all chips away; evaluation uses the tiles of training again."""
    for _, tile, _ in _places(model):
        tile.unprogram()


@contextmanager
def _evaluation(model: torch.nn.Module) -> Any:
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, was in training.items():
            module.training = was


def calibrate(
    model: torch.nn.Module,
    chip: InferenceTileConfig,
    batches: Iterable[Any],
    plan: CalibrationConfig | None = None,
    *,
    seed: int,
) -> dict[str, str]:
    """Ranges of the converters of all tiles from `batches` of inputs of the model (not test data), for `program_analog_weights`.

    Data pass through exact products; the vectors that reach each matrix give its ranges, the first `plan.samples` of them (0: all).
    A batch may be a tensor, or a tuple or list whose first entry is the input, as data loaders give them.
    """
    plan = CalibrationConfig() if plan is None else plan
    _check_chip(chip)
    if plan.through != "Exact":
        raise ValueError(f"through = {plan.through!r}: must be 'Exact' for models of PyTorch")
    seen: dict[str, list[Tensor]] = {}
    places = _places(model)
    for name, tile, _ in places:
        seen[name] = []
        tile.observe = _watch(seen[name], plan.samples)
    try:
        with _evaluation(model), torch.no_grad():
            for batch in batches:
                model(batch[0] if isinstance(batch, (tuple, list)) else batch)
    finally:
        for _, tile, _ in places:
            tile.observe = None
    found = {}
    for name, tile, bias in places:
        if not seen[name]:
            raise ValueError(f"{name}: no vector has reached this matrix")
        bias = tile.bias_or(bias)
        x = torch.cat(seen[name]).numpy()
        numbers = None if bias is None else bias.detach().numpy()
        place = (seed, name)
        texts = (tile.native.settings(), chip.to_json(), plan.to_json())
        try:
            found[name], _ = _native.calibrate(tile.native.weights(), numbers, *texts, x, place)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


def _watch(into: list[Tensor], wanted: int) -> Callable[[Tensor], None]:
    """Keeps the first `wanted` vectors; 0 for all."""

    def observe(x: Tensor) -> None:
        missing = x.shape[0] if wanted == 0 else wanted - sum(seen.shape[0] for seen in into)
        if missing > 0:
            into.append(x[:missing].clone())

    return observe


@dataclass(frozen=True)
class MeasuredAt:
    """What was measured at one time."""

    #: Seconds after programming.
    time_seconds: float
    #: Every read of every programming event.
    reads: list[list[float]]
    mean: float
    #: From programming event to programming event.
    std: float | None
    #: Of the mean over programming events; `None` for a single one.
    confidence_95: tuple[float, float] | None
    #: From read to read of one event.
    read_std: float | None
    #: From event to event without what reading adds.
    programming_std: float | None


def evaluate_over_time(  # noqa: PLR0913
    model: torch.nn.Module,
    chip: InferenceTileConfig,
    metric: Callable[[torch.nn.Module], float],
    times_seconds: Sequence[float] = (1.0, 3600.0, 86_400.0, 2_592_000.0, 31_536_000.0),
    *,
    repeats: int = 10,
    reads: int = 1,
    seed: int,
    calibration: Calibration | None = None,
) -> list[MeasuredAt]:
    """`metric(model)` at times after programming, over `repeats` programming events with `reads` reads of each.

    `metric` gets the model in evaluation, without gradients. Two evaluations with one seed are paired: they see the same devices.
    The chips that the model had are gone afterwards.
    """
    if repeats < 1 or reads < 1 or not times_seconds:
        raise ValueError("repeats and reads must be at least 1, and there must be a time")
    measured: list[list[list[float]]] = [[] for _ in times_seconds]
    try:
        with _evaluation(model), torch.no_grad():
            for event in range(repeats):
                program_analog_weights(model, chip, seed=seed, event=event, calibration=calibration)
                for at, time in zip(measured, times_seconds):
                    values = []
                    for read in range(reads):
                        drift_analog_weights(model, time, read=read)
                        values.append(float(metric(model)))
                    at.append(values)
    finally:
        remove_chips(model)
    return [_summed_up(time, values) for time, values in zip(times_seconds, measured)]


def _summed_up(time: float, values: list[list[float]]) -> MeasuredAt:
    found = json.loads(_native.summarise(values))
    interval = found["confidence_95"]
    return MeasuredAt(
        time_seconds=time,
        reads=values,
        mean=found["mean"],
        std=found["std"],
        confidence_95=None if interval is None else (interval[0], interval[1]),
        read_std=found["read_std"],
        programming_std=found["programming_std"],
    )
