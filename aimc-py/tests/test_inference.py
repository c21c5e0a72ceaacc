"""Models on chips."""

from __future__ import annotations

import math

import pytest
import torch
from helpers import close, perfect, perfect_memory
from torch import nn

from aimc import presets
from aimc.config import (
    AdcRange,
    CalibrationConfig,
    HardwareAwareTileConfig,
    InferenceTileConfig,
    InputRangeConfig,
    IoConfig,
    MappingConfig,
    MaxRule,
    PcmLikeNoiseModel,
    PeripheryConfig,
)
from aimc.inference import (
    calibrate,
    drift_analog_weights,
    evaluate_over_time,
    program_analog_weights,
    remove_chips,
)
from aimc.nn import AnalogLinear, analog_tiles, convert_to_analog

QUIET = PcmLikeNoiseModel(prog_noise_scale=0.0, read_noise_scale=0.0, drift_scale=0.0)


def _model() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, groups=1), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)).eval()


def _perfect_chip(**changes: object) -> InferenceTileConfig:
    return InferenceTileConfig(device=QUIET, forward=IoConfig(is_perfect=True), **changes)


@pytest.mark.parametrize("analog_bias", [False, True])
@pytest.mark.parametrize("chip_bias", [False, True])
def test_a_chip_without_errors_is_the_model(analog_bias: bool, chip_bias: bool) -> None:
    model = _model()
    analog = convert_to_analog(model, perfect(analog_bias))
    mapping = MappingConfig(digital_bias=not chip_bias)
    program_analog_weights(analog, _perfect_chip(periphery=PeripheryConfig(mapping=mapping)), seed=1)
    x = torch.randn(3, 1, 6, 6)
    # Weights become conductances and weights again: some roundings each.
    close(analog(x), model(x), 10_000)


def test_drift_without_compensation_is_its_law() -> None:
    """g(t) = g·(t/t₀)^-ν: with one exponent for all devices the products shrink by exactly that."""
    device = PcmLikeNoiseModel(prog_noise_scale=0.0, read_noise_scale=0.0)
    chip = InferenceTileConfig(device=device, forward=IoConfig(is_perfect=True), compensation="None")
    layer = convert_to_analog(nn.Linear(50, 40, bias=False), perfect()).eval()
    program_analog_weights(layer, chip, seed=2)
    x = torch.randn(30, 50)
    start = layer(x)
    ratios = []
    for t in (20.0, 1e4, 1e7):
        drift_analog_weights(layer, t)
        ratios.append(float((layer(x) * start).sum() / start.square().sum()))
    assert ratios[0] > ratios[1] > ratios[2] > 0.3
    # Mean exponents of the model lie between 0.02 and 0.1, see the bounds of its equation.
    for t, ratio in zip((1e4, 1e7), ratios[1:]):
        nu = -math.log(ratio / ratios[0]) / math.log(t / 20.0)
        assert 0.02 < nu < 0.1


def test_compensation_brings_the_size_back() -> None:
    layer = convert_to_analog(nn.Linear(50, 40, bias=False), perfect()).eval()
    x = torch.randn(30, 50)
    sizes = {}
    for compensation in ("None", "Global"):
        chip = InferenceTileConfig(compensation=compensation, forward=IoConfig(is_perfect=True))
        program_analog_weights(layer, chip, seed=2)
        start = layer(x).std()
        drift_analog_weights(layer, 1e7)
        sizes[compensation] = float(layer(x).std() / start)
    assert sizes["None"] < 0.8
    assert abs(sizes["Global"] - 1) < 0.1


def test_chips_are_addressed() -> None:
    model = convert_to_analog(_model(), perfect()).eval()
    x = torch.randn(3, 1, 6, 6)

    def outputs(seed: int = 1, event: int = 0, t: float = 60.0, read: int = 0) -> torch.Tensor:
        program_analog_weights(model, InferenceTileConfig(), seed=seed, event=event)
        drift_analog_weights(model, t, read=read)
        return model(x)

    first = outputs()
    assert torch.equal(first, outputs())
    for other in ({"seed": 2}, {"event": 1}, {"t": 61.0}, {"read": 1}):
        assert not torch.equal(first, outputs(**other))
    program_analog_weights(model, InferenceTileConfig(), seed=1)
    drift_analog_weights(model, 1e6)
    drift_analog_weights(model, 60.0)
    assert torch.equal(first, model(x)), "time may go back"


def test_chips_are_read_in_evaluation_only() -> None:
    layer = AnalogLinear(4, 3, config=perfect(), seed=1)
    x = torch.randn(2, 4, requires_grad=True)
    plain = layer(x)
    program_analog_weights(layer, InferenceTileConfig(), seed=1)
    assert torch.equal(layer(x), plain), "training meets the tile"
    layer.eval()
    noisy = layer(x)
    assert not torch.equal(noisy, plain)
    with pytest.raises(RuntimeError, match="can only be read"):
        noisy.sum().backward()
    remove_chips(layer)
    assert torch.equal(layer(x), plain)


def test_what_training_has_learned_goes_onto_the_chip() -> None:
    periphery = PeripheryConfig(
        mapping=MappingConfig(learn_out_scaling=True),
        input_range=InputRangeConfig(enable=True, init_value=0.5, init_from_data=0, learn_input_range=False),
    )
    config = HardwareAwareTileConfig(forward=IoConfig(is_perfect=True), periphery=periphery)
    layer = convert_to_analog(nn.Linear(4, 3), config).eval()
    x = 2 * torch.ones(1, 4)
    weights, bias = layer.get_weights()
    # Inputs of 2 are cut to 0.5.
    program_analog_weights(layer, _perfect_chip(periphery=periphery), seed=1)
    close(layer(x), torch.nn.functional.linear(x / 4, weights, bias), 1000)


def test_calibration_finds_the_range_of_the_inputs() -> None:
    model = convert_to_analog(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)), perfect_memory())
    x = torch.randn(20, 4)
    chip = _perfect_chip(periphery=PeripheryConfig(input_range=InputRangeConfig(enable=True)))
    plan = CalibrationConfig(input=MaxRule(), samples=0)
    exact = model.eval()(x)
    hidden = model[0](x).detach()
    model.train()
    found = calibrate(model, chip, [x[:7], (x[7:], None)], plan, seed=1)
    assert model.training, "the mode is kept"
    for name, largest in (("0.tiles.0", x.abs().max()), ("1.tiles.0", hidden.abs().max())):
        assert f'"input_range":{float(largest):.5f}'[:-2] in found[name]
    program_analog_weights(model, chip, seed=1, calibration=found)
    close(model.eval()(x), exact, 10_000)
    with pytest.raises(ValueError, match="the model lacks: nothing"):
        program_analog_weights(model, chip, seed=1, calibration={"nothing": "[]"})
    with pytest.raises(ValueError, match="input_range.enable = false"):
        calibrate(model, _perfect_chip(), [x], plan, seed=1)
    with pytest.raises(ValueError, match="through"):
        calibrate(model, chip, [x], CalibrationConfig(through="Analog"), seed=1)
    with pytest.raises(ValueError, match="no vector has reached"):
        calibrate(model, chip, [], plan, seed=1)


def test_calibration_finds_the_range_of_the_converter() -> None:
    """An ADC of range 12 has coarse steps for outputs of 1; calibrated to the currents it is several times better."""
    model = convert_to_analog(nn.Linear(64, 16), perfect_memory()).eval()
    x = torch.randn(200, 64)
    forward = IoConfig(out_noise=0.0, inp_res=0.0, out_res=1 / 62, noise_management="None", bound_management="None")
    ranges = PeripheryConfig(input_range=InputRangeConfig(enable=True))
    chip = InferenceTileConfig(device=QUIET, forward=forward, periphery=ranges)
    exact, errors = model(x), []
    plan = CalibrationConfig(input=MaxRule(), adc=AdcRange(quantile=1.0), samples=0)
    for calibration in (None, calibrate(model, chip, [x], plan, seed=1)):
        program_analog_weights(model, chip, seed=1, calibration=calibration)
        errors.append(float((model(x) - exact).std()))
    assert errors[1] < errors[0] / 3


def test_evaluation_over_time() -> None:
    model = convert_to_analog(_model(), perfect(), seed=3)
    x = torch.randn(50, 1, 6, 6)
    with torch.no_grad():
        labels = model.eval()(x).argmax(1)
    model.train()

    def accuracy(net: nn.Module) -> float:
        assert not net.training and not torch.is_grad_enabled()
        return float((net(x).argmax(1) == labels).float().mean())

    times = (1.0, 3.15e7)
    found = evaluate_over_time(model, InferenceTileConfig(), accuracy, times, repeats=4, reads=2, seed=1)
    assert model.training and all(tile.chip is None for _, tile in analog_tiles(model))
    assert [at.time_seconds for at in found] == list(times)
    for at in found:
        means = [sum(reads) / 2 for reads in at.reads]
        assert len(means) == 4 and abs(at.mean - sum(means) / 4) < 1e-12
        low, high = at.confidence_95
        assert low <= at.mean <= high
        # Student's t for 3 degrees of freedom at 97.5 % is 3.182446.
        assert abs((high - low) / 2 - 3.182446 * at.std / 2) < 1e-6
    again = evaluate_over_time(model, InferenceTileConfig(), accuracy, times[1:], repeats=2, reads=1, seed=1)
    assert again[0].reads == [[reads[0]] for reads in found[1].reads[:2]], "less of it changes none of the rest"
    with pytest.raises(ValueError, match="at least 1"):
        evaluate_over_time(model, InferenceTileConfig(), accuracy, times, repeats=0, seed=1)


def test_hardware_aware_tiles_meet_noise_in_training_only() -> None:
    config = presets.StandardHWATrainingPreset(
        forward={"is_perfect": True}, modifier={"type": "AddNormal", "std_dev": 0.2, "from_first_batch": True}
    )
    layer = convert_to_analog(nn.Linear(6, 4), config)
    x = torch.randn(3, 6)
    weights, bias = layer.get_weights()
    exact = torch.nn.functional.linear(x, weights, bias)
    assert float((layer(x) - exact).abs().max()) > 0.01
    close(layer.eval()(x), exact, 100)


def test_what_cannot_be_programmed_is_refused() -> None:
    layer = AnalogLinear(4, 3, config=perfect(), seed=1).eval()
    with pytest.raises(ValueError, match="was not programmed"):
        drift_analog_weights(layer, 1.0)
    with pytest.raises(TypeError, match="InferenceTileConfig"):
        program_analog_weights(layer, perfect(), seed=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no layer on tiles"):
        program_analog_weights(nn.Linear(2, 2), InferenceTileConfig(), seed=1)
    with pytest.raises(ValueError, match="tiles.0: .*device.g_max = -1.0"):
        program_analog_weights(layer, InferenceTileConfig(device=PcmLikeNoiseModel(g_max=-1.0)), seed=1)
    program_analog_weights(layer, InferenceTileConfig(), seed=1)
    for t in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="must be a finite number of seconds"):
            drift_analog_weights(layer, t)
    with pytest.raises(ValueError, match="carries NaN"):
        layer(torch.full((1, 4), float("nan")))
