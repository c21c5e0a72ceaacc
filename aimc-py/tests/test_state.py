"""state_dict, deepcopy and pickle keep everything: 2N steps are N, save, load, N."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from aimc import presets
from aimc.config import HardwareAwareTileConfig, InferenceTileConfig, InputRangeConfig, MappingConfig, PeripheryConfig
from aimc.inference import drift_analog_weights, program_analog_weights
from aimc.nn import AnalogLinear, analog_tiles, convert_to_analog
from aimc.optim import AnalogAdam, AnalogSGD

HWA = presets.StandardHWATrainingPreset(
    periphery=PeripheryConfig(
        mapping=MappingConfig(learn_out_scaling=True), input_range=InputRangeConfig(enable=True, init_from_data=2)
    ),
    modifier={"type": "AddNormal", "std_dev": 0.1},
)
CONFIGS = [presets.EcRamPreset(), presets.AGADEcRamPreset(), presets.MixedPrecisionPCMPreset(), HWA]


def _model(config: Any, seed: int = 5) -> nn.Module:
    torch.manual_seed(0)
    return convert_to_analog(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)), config, seed=seed)


def _steps(model: nn.Module, optimizer: torch.optim.Optimizer, numbers: range) -> torch.Tensor:
    for step in numbers:
        x = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        y = model(x)
        y.square().mean().backward()
        optimizer.step()
    return y.detach()


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("kind", [AnalogSGD, AnalogAdam])
def test_a_training_goes_on_bit_for_bit(config: Any, kind: Any) -> None:
    options = {"lr": 0.05, **({"momentum": 0.9} if kind is AnalogSGD else {})}
    model = _model(config)
    optimizer = kind(model.parameters(), **options)
    _steps(model, optimizer, range(3))
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    expected = _steps(model, optimizer, range(3, 6))

    file.seek(0)
    stored = torch.load(file, weights_only=True)
    other = _model(config, seed=6)
    other_optimizer = kind(other.parameters(), **options)
    other.load_state_dict(stored["model"])
    other_optimizer.load_state_dict(stored["optimizer"])
    assert torch.equal(_steps(other, other_optimizer, range(3, 6)), expected)


@pytest.mark.parametrize("config", CONFIGS)
def test_copies_keep_the_bits(config: Any) -> None:
    model = _model(config)
    _steps(model, AnalogSGD(model.parameters(), lr=0.05), range(2))
    model(torch.randn(2, 6)).sum().backward()
    twins = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    model.zero_grad()
    for _, tile in analog_tiles(model):
        tile.pending = []
    expected = _steps(model, AnalogSGD(model.parameters(), lr=0.05), range(2, 4))
    for twin in twins:
        assert torch.equal(_steps(twin, AnalogSGD(twin.parameters(), lr=0.05), range(2, 4)), expected)


def test_a_copy_has_parameters_of_its_own() -> None:
    model = _model(presets.EcRamPreset())
    twin = copy.deepcopy(model)
    before = [tile.weights() for _, tile in analog_tiles(model)]
    _steps(twin, AnalogSGD(twin.parameters(), lr=0.1), range(1))
    assert all(torch.equal(tile.weights(), old) for (_, tile), old in zip(analog_tiles(model), before))
    assert not all(torch.equal(tile.weights(), old) for (_, tile), old in zip(analog_tiles(twin), before))


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    model = _model(presets.EcRamPreset())
    before = model.state_dict()
    with pytest.raises(RuntimeError, match="the stored config of tile '0'"):
        model.load_state_dict(_model(presets.CapacitorPreset()).state_dict())
    other = convert_to_analog(nn.Sequential(nn.Linear(7, 8), nn.Tanh(), nn.Linear(8, 3)), presets.EcRamPreset())
    with pytest.raises(RuntimeError, match="the stored shape of tile '0'"):
        model.load_state_dict(other.state_dict())
    damaged = {**before, "0.tiles.0._extra_state": before["0.tiles.0._extra_state"].clone()}
    damaged["0.tiles.0._extra_state"][-1] ^= 1
    with pytest.raises(RuntimeError, match="checksum"):
        model.load_state_dict(damaged)
    with pytest.raises(RuntimeError, match="Missing key"):
        model.load_state_dict({key: value for key, value in before.items() if not key.endswith("_extra_state")})
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), before.values()))


def test_a_programmed_model_is_copied_with_its_chips() -> None:
    model = _model(HardwareAwareTileConfig()).eval()
    program_analog_weights(model, InferenceTileConfig(), seed=3)
    drift_analog_weights(model, 3600.0, read=2)
    x = torch.randn(2, 6)
    model(x)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        again = copy.deepcopy(twin)
        assert torch.equal(twin(x), again(x))
    expected, twin = copy.deepcopy(model)(x), pickle.loads(pickle.dumps(model))
    assert torch.equal(twin(x), expected)


def test_models_train_from_data_loaders_with_workers() -> None:
    layer = AnalogLinear(4, 2, config=presets.EcRamPreset(), seed=1)
    optimizer = AnalogSGD(layer.parameters(), lr=0.1)
    layer(torch.randn(64, 4)).sum().backward()
    data = TensorDataset(torch.randn(12, 4), torch.randn(12, 2))
    before = layer.get_weights()[0]
    for x, y in DataLoader(data, batch_size=4, num_workers=2):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(layer(x), y).backward()
        optimizer.step()
    assert not torch.equal(before, layer.get_weights()[0])
