"""Models onto tiles and back."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from helpers import close, perfect, perfect_memory
from torch import nn

from aimc import presets
from aimc.nn import (
    AnalogConv2d,
    AnalogLinear,
    analog_summary,
    analog_tiles,
    convert_to_analog,
    convert_to_digital,
)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(64, 3)
        self.gate = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.head(self.features(x).flatten(1))
        return y * torch.sigmoid(self.gate(y))


def test_layers_change_and_all_else_stays() -> None:
    model = Net()
    analog = convert_to_analog(model, perfect(), seed=1)
    assert [name for name, _ in analog_tiles(analog)] == ["features.0.tiles.0", "head.tiles.0", "gate.tiles.0"]
    assert isinstance(model.head, nn.Linear), "the model itself stays"
    assert isinstance(analog.features[0], AnalogConv2d)
    assert isinstance(analog.features[1], nn.BatchNorm2d)
    x = torch.randn(2, 1, 6, 6)
    close(analog(x), model(x), 64)
    back = convert_to_digital(analog)
    assert type(back.head) is nn.Linear and type(back.features[0]) is nn.Conv2d
    assert back.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(a, b) for a, b in zip(Net.state_dict(back).values(), analog_copy(model, back)))


def analog_copy(model: nn.Module, back: nn.Module) -> list[torch.Tensor]:
    """The parameters of the model; its statistics are those that the passes above have left in the copies."""
    statistics = dict(back.named_buffers())
    return [statistics.get(name, value) for name, value in model.state_dict().items()]


def test_rules_choose_layers_by_name() -> None:
    other = presets.EcRamPreset()
    analog = convert_to_analog(
        Net(), perfect(), exclude=["feat*"], per_layer={"*": other, "gate": None, "head": perfect_memory()}
    )
    assert type(analog.features[0]) is nn.Conv2d and type(analog.gate) is nn.Linear
    assert analog.head.tiles[0].native.kind == "hardware_aware"
    for bad in ({"exclude": ["haed"]}, {"per_layer": {"features": other}}):
        with pytest.raises(ValueError, match="fits none of the layers features.0, head, gate"):
            convert_to_analog(Net(), perfect(), **bad)


def test_a_single_layer_and_a_conversion_in_place() -> None:
    assert isinstance(convert_to_analog(nn.Linear(2, 2), perfect()), AnalogLinear)
    model = Net()
    assert convert_to_analog(model, perfect(), inplace=True) is model
    assert isinstance(model.head, AnalogLinear)
    assert convert_to_digital(model, inplace=True) is model
    assert type(model.head) is nn.Linear


def test_shared_layers_stay_shared() -> None:
    layer = nn.Linear(3, 3)
    analog = convert_to_analog(nn.Sequential(layer, nn.ReLU(), layer), perfect())
    assert analog[0] is analog[2]


def test_the_mode_is_kept() -> None:
    model = Net().eval()
    assert not any(module.training for module in convert_to_analog(model, perfect()).modules())


def test_weights_read_by_products_are_near() -> None:
    """Least squares over exact products gives the weights up to rounding; the condition of the normal equations is below 100."""
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.Linear(27, 4))
    back = convert_to_digital(convert_to_analog(model, perfect(analog_bias=True)), products_per_input=10)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(back.state_dict()[name], value, rtol=0, atol=1e-4)


def test_attention_of_pytorch_stays_digital_with_a_warning() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0).eval()
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    with pytest.warns(UserWarning, match="MultiheadAttention"):
        analog = convert_to_analog(model, perfect())
    assert type(analog.layers[0].self_attn.out_proj).__name__ == "NonDynamicallyQuantizableLinear"
    assert isinstance(analog.layers[0].linear1, AnalogLinear)
    x = torch.randn(2, 5, 8)
    with torch.no_grad():
        close(analog(x), model(x), 200)
    noisy = copy.deepcopy(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        noisy = convert_to_analog(noisy, presets.EcRamPreset())
    with torch.no_grad():
        assert not torch.equal(noisy(x), noisy(x)), "the fast path of the layer does not pass the tiles"


class Attention(nn.Module):
    """Attention as HuggingFace's encoders have it: four linear layers and arithmetic."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(size, size) for _ in range(3))
        self.output = nn.ModuleDict({"dense": nn.Linear(size, size), "LayerNorm": nn.LayerNorm(size)})
        self.heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # noqa: E731
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return self.output["LayerNorm"](x + self.output["dense"](y.transpose(1, 2).flatten(2)))


def test_encoders_of_linear_layers_are_converted() -> None:
    model = Attention(12, 3)
    analog = convert_to_analog(model, perfect(largest=7), seed=1)
    x = torch.randn(2, 5, 12, requires_grad=True)
    twin = x.detach().clone().requires_grad_()
    y, expected = analog(x), model(twin)
    close(y, expected, 100)
    y.square().sum().backward()
    expected.square().sum().backward()
    close(x.grad, twin.grad, 1000)


def test_the_summary_counts() -> None:
    model = nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.Flatten(), nn.Linear(64, 10))
    tile = presets.EcRam2Preset(periphery={"mapping": {"max_input_size": 40}})
    analog = convert_to_analog(model, tile)
    before = analog.state_dict()
    summary = analog_summary(analog, torch.randn(3, 2, 6, 6))
    rows = [(m.name, m.outputs, m.inputs, m.tiles, m.arrays, m.devices, m.products) for m in summary.matrices]
    assert rows == [
        ("0.tiles.0", 2, 9, 1, 1, 36, 48),
        ("0.tiles.1", 2, 9, 1, 1, 36, 48),
        ("2.tiles.0", 10, 64, 2, 2, 1280, 3),
    ]
    assert (summary.analog_weights, summary.digital_parameters) == (676, 14)
    assert "676 weights on tiles, 14 digital parameters" in str(summary)
    assert all(torch.equal(a, b) for a, b in zip(before.values(), analog.state_dict().values()))
    assert analog_summary(analog).matrices[0].products is None
