"""Whole tiles from few words."""

from __future__ import annotations

import json

from . import _native
from ._record import decode
from .config import IoConfig, TrainingTileConfig, UnitCell, UpdateConfig


def ideal_tile() -> TrainingTileConfig:
    """A tile with exact products and exact updates: floating point."""
    return decode(TrainingTileConfig, json.loads(_native.ideal_tile()))


def build_config(
    algorithm: str,
    device: UnitCell,
    *,
    devices_per_weight: int = 1,
    io: IoConfig | None = None,
    update: UpdateConfig | None = None,
) -> TrainingTileConfig:
    """A tile of `device` that learns by `algorithm`, as AIHWKit's `build_config`.

    Algorithms: sgd, ttv1 (tiki-taka), ttv2, c-ttv2 (chopped-ttv2), agad, mp (mixed-precision).

    >>> from aimc import presets
    >>> build_config("agad", presets.EcRamPresetDevice()).update.desired_bl
    5
    """
    io, update = io or IoConfig(), update or UpdateConfig()
    texts = (io.to_json(), update.to_json())
    return decode(
        TrainingTileConfig,
        json.loads(_native.build_config(algorithm, device.to_json(), devices_per_weight, *texts)),
    )
