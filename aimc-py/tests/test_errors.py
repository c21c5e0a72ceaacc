"""What cannot be done is refused with a Python exception that says what and where; the model stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from helpers import perfect

from aimc import _native, presets
from aimc.config import InferenceTileConfig, SoftBoundsDevice, TrainingTileConfig
from aimc.nn import AnalogConv2d, AnalogLinear, AnalogLSTM, convert_to_analog
from aimc.optim import AnalogSGD


def _layer() -> AnalogLinear:
    return AnalogLinear(3, 2, config=perfect(), seed=1)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_inputs_that_are_not_finite(bad: float) -> None:
    x = torch.zeros(4, 3)
    x[2, 1] = bad
    with pytest.raises(ValueError, match="input: line 1 of sample 2 carries"):
        _layer()(x)


def test_gradients_that_are_not_finite() -> None:
    layer = _layer()
    y = layer(torch.zeros(4, 3, requires_grad=True))
    with pytest.raises(ValueError, match="input: line 0 of sample 0 carries NaN"):
        y.backward(torch.full((4, 2), float("nan")))
    weights = layer.get_weights()[0]
    y = layer(torch.zeros(4, 3))
    y.backward(torch.full((4, 2), float("nan")))
    with pytest.raises(ValueError, match="carries NaN"):
        AnalogSGD(layer.parameters(), lr=0.1).step()
    assert torch.equal(weights, layer.get_weights()[0])


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (torch.zeros(2, 3, dtype=torch.float64), "x is torch.float64"),
        (torch.zeros(2, 3, dtype=torch.bfloat16), "x is torch.bfloat16"),
        (torch.zeros(2, 3, dtype=torch.int64), "x is torch.int64"),
        (torch.zeros(2, 3, device="meta"), "x lies on meta"),
        (torch.zeros(2, 3).to_sparse(), "x is torch.sparse_coo|reshape"),
    ],
)
def test_types_and_devices(x: torch.Tensor, match: str) -> None:
    with pytest.raises((TypeError, RuntimeError) if x.is_sparse else TypeError, match=match):
        _layer()(x)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_tensor() -> None:
    with pytest.raises(TypeError, match="x lies on cuda:0"):
        _layer()(torch.zeros(2, 3, device="cuda"))


@pytest.mark.parametrize(
    ("layer", "x", "match"),
    [
        (_layer(), torch.zeros(2, 4), r"\(2, 4\), its last dimension must be 3"),
        (AnalogConv2d(2, 3, 3, config=perfect()), torch.zeros(1, 3, 5, 5), r"\(1, 3, 5, 5\), the layer needs"),
        (AnalogConv2d(2, 3, 3, config=perfect()), torch.zeros(5, 5), "the layer needs"),
        (AnalogConv2d(2, 3, 3, config=perfect()), torch.zeros(1, 2, 2, 5), "must fit into the padded image"),
        (AnalogLSTM(3, 4, config=perfect()), torch.zeros(5, 2, 2), "sequences of 3 features"),
    ],
)
def test_shapes(layer: Any, x: torch.Tensor, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        layer(x)


def test_weights_of_the_wrong_shape_or_value() -> None:
    layer = _layer()
    with pytest.raises(ValueError, match=r"shape \(3, 2\), the layer needs \(2, 3\)"):
        layer.set_weights(torch.zeros(3, 2), torch.zeros(2))
    with pytest.raises(ValueError, match="bias must be given"):
        layer.set_weights(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="must have the shapes"):
        layer.set_weights(torch.zeros(2, 3), torch.zeros(3))
    with pytest.raises(ValueError, match="not finite"):
        layer.set_weights(torch.full((2, 3), float("nan")), torch.zeros(2))


def test_refused_configurations_name_the_field() -> None:
    config = presets.EcRamPreset()
    config.device.dw_min = -1.0
    with pytest.raises(ValueError, match=r"device\.dw_min = -1\.0: must be a finite number above 0"):
        AnalogLinear(3, 2, config=config)
    with pytest.raises(ValueError, match=r"device\.dw_min"):
        config.validate()
    config.device.dw_min = float("nan")
    with pytest.raises(ValueError, match=r"device\.dw_min = nan: must be a finite number"):
        AnalogLinear(3, 2, config=config)
    config = TrainingTileConfig()
    config.update.desired_bl = "many"
    with pytest.raises(ValueError, match=r"update\.desired_bl"):
        config.validate()


def test_unknown_fields() -> None:
    with pytest.raises(TypeError, match="w_mx"):
        SoftBoundsDevice(w_mx=1.0)
    with pytest.raises(AttributeError, match="forwrad"):
        TrainingTileConfig().forwrad = 1
    with pytest.raises(ValueError, match=r"device\.w_mx: is no known field"):
        TrainingTileConfig.from_dict({"device": {"model": "SoftBounds", "w_mx": 1.0}})
    with pytest.raises(ValueError, match="Unobtainium"):
        TrainingTileConfig.from_dict({"device": {"preset": "Unobtainium"}})
    with pytest.raises(ValueError, match="is no valid TOML"):
        TrainingTileConfig.from_toml("device = ")


@pytest.mark.parametrize("config", [InferenceTileConfig(), {"device": {}}, None])
def test_tiles_need_the_record_of_a_tile(config: Any) -> None:
    with pytest.raises(TypeError, match="config must be a TrainingTileConfig or HardwareAwareTileConfig"):
        convert_to_analog(torch.nn.Linear(2, 2), config)


def test_the_bindings_refuse_what_the_modules_never_pass() -> None:
    tile = _native.Tile("tile", "{}", 2, 3, True, 1, "")
    with pytest.raises(ValueError, match="contiguous"):
        tile.forward(np.zeros((3, 4), dtype=np.float32).T, True)
    with pytest.raises(TypeError):
        tile.forward(np.zeros((4, 3)), True)
    with pytest.raises(ValueError, match="input has"):
        tile.forward(np.zeros((4, 2), dtype=np.float32), True)
    with pytest.raises(ValueError, match="outputs"):
        _native.Tile("tile", "{}", 0, 3, True, 1, "")
    with pytest.raises(ValueError, match="kind"):
        _native.Tile("tiel", "{}", 1, 3, True, 1, "")
    with pytest.raises(ValueError, match="state of a tile"):
        _native.Tile.from_state(b"nothing")
    with pytest.raises(OverflowError):
        _native.Tile("tile", "{}", 1, 3, True, -1, "")
    windows = _native.Windows([4], [2], [1], [0], [1], 1)
    with pytest.raises(ValueError, match="no channels"):
        windows.unfold(np.zeros((2, 5), dtype=np.float32))
    with pytest.raises(ValueError, match="groups of 6 vectors"):
        windows.fold([np.zeros((5, 2), dtype=np.float32)], 2)
    with pytest.raises(ValueError, match="4 entries|entries"):
        _native.Windows([4], [2, 2], [1], [0], [1], 1)
    memory = _native.Tile("hardware_aware", "{}", 2, 3, False, 1, "")
    with pytest.raises(ValueError, match="not finite"):
        memory.set_digital(np.full(6, np.nan, dtype=np.float32))
    with pytest.raises(ValueError, match="the tile has 6"):
        memory.set_digital(np.zeros(5, dtype=np.float32))
