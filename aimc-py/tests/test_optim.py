"""Digital numbers move as PyTorch moves parameters, analog weights by their own update."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import close, perfect, perfect_memory
from torch import nn

from aimc.config import ConstantStepDevice, HardwareAwareTileConfig, IoConfig, TrainingTileConfig, WeightClipConfig
from aimc.nn import AnalogLinear, convert_to_analog, convert_to_digital
from aimc.optim import AnalogAdam, AnalogAdamW, AnalogOptimizer, AnalogSGD


def _pair(config: Any) -> tuple[nn.Module, nn.Module]:
    digital = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2))
    return digital, convert_to_analog(digital, config, seed=1)


def _run(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 6) -> None:
    for step in range(steps):
        x = torch.randn(8, 5, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize(
    ("analog", "digital", "options"),
    [
        (AnalogSGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        (AnalogAdam, torch.optim.Adam, {"lr": 0.01}),
        (AnalogAdamW, torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
        (lambda p, **o: AnalogOptimizer(torch.optim.RMSprop, p, **o), torch.optim.RMSprop, {"lr": 0.01}),
    ],
)
def test_weights_in_memory_move_as_parameters(analog: Any, digital: Any, options: dict[str, Any]) -> None:
    """Ten rounding errors of a weight per step, and what an optimizer that divides by small gradients makes of them."""
    plain, tiles = _pair(perfect_memory())
    _run(plain, digital(plain.parameters(), **options))
    _run(tiles, analog(tiles.parameters(), **options))
    for name, value in convert_to_digital(tiles).state_dict().items():
        close(value, plain.state_dict()[name], 10_000)


def test_exact_analog_weights_move_by_the_learning_rate_alone() -> None:
    plain, tiles = _pair(perfect())
    _run(plain, torch.optim.SGD(plain.parameters(), lr=0.1))
    _run(tiles, AnalogAdam([{"params": [p for p in tiles.parameters() if p.numel() == 0], "lr": 0.1}]), 6)
    # The biases have stayed; without them the weights differ, so compare one step of a layer without.
    layer = nn.Linear(4, 3, bias=False)
    analog = convert_to_analog(layer, perfect())
    x = torch.randn(5, 4)
    for model, optimizer in ((layer, torch.optim.SGD(layer.parameters(), lr=0.1)), (analog, AnalogAdam(analog.parameters(), lr=0.1))):
        model(x).square().sum().backward()
        optimizer.step()
    close(analog.get_weights()[0], layer.weight, 20)


def test_pulsed_weights_move_in_steps_of_their_devices() -> None:
    """Without spread every change is a whole number of pulses of dw_min."""
    device = ConstantStepDevice(
        dw_min=0.01, dw_min_dtod=0, dw_min_std=0, up_down_dtod=0, w_max_dtod=0, w_min_dtod=0, w_max=1, w_min=-1
    )
    exact = IoConfig(is_perfect=True)
    config = TrainingTileConfig(device=device, forward=exact, backward=exact)
    layer = AnalogLinear(4, 3, bias=False, config=config, seed=1)
    layer.set_weights(torch.zeros(3, 4))
    optimizer = AnalogSGD(layer.parameters(), lr=0.5)
    layer(torch.randn(20, 4)).backward(torch.randn(20, 3))
    optimizer.step()
    pulses = layer.get_weights()[0] / 0.01
    assert float(pulses.abs().max()) >= 1
    torch.testing.assert_close(pulses, pulses.round(), rtol=0, atol=1e-3)
    assert layer.tiles[0].native.inventory()[2] > 0


def test_the_mean_update_is_gradient_descent() -> None:
    """E ΔW = -lr d xᵀ where no update saturates: mean of n updates with std s lies within 6 s/√n."""
    exact = IoConfig(is_perfect=True)
    device = ConstantStepDevice(dw_min=0.001, w_max=10, w_min=-10)
    layer = AnalogLinear(3, 2, bias=False, config=TrainingTileConfig(device=device, forward=exact, backward=exact), seed=3)
    n, lr = 2000, 0.01
    x, d = torch.tensor([[0.5, -0.25, 1.0]]), torch.tensor([[0.8, -0.4]])
    optimizer = AnalogSGD(layer.parameters(), lr=lr)
    start, moves = layer.get_weights()[0], []
    for _ in range(n):
        layer(x).backward(d)
        optimizer.step()
        now = layer.get_weights()[0]
        moves.append(now - start)
        start = now
    moved = torch.stack(moves).double()
    # dw_min spreads by 30 % from device to device, so that each has a rate of its own; their mean over 6 devices is 1 ± 0.3/√6.
    ratio = (moved.mean(0) / (-lr * d.t() @ x)).mean()
    assert abs(float(ratio) - 1) < 6 * 0.3 / 6**0.5
    se = moved.std(0) / n**0.5
    assert bool(((moved.mean(0).sign() == (-d.t() @ x).sign()) | (se * 6 > moved.mean(0).abs())).all())


def test_clipping_follows_the_step() -> None:
    config = HardwareAwareTileConfig(
        forward=IoConfig(is_perfect=True), clip=WeightClipConfig(type="FixedValue", fixed_value=0.1)
    )
    layer = AnalogLinear(4, 3, config=config, seed=1)
    optimizer = AnalogSGD(layer.parameters(), lr=0.01)
    layer(torch.randn(5, 4)).sum().backward()
    optimizer.step()
    assert float(layer.get_weights()[0].abs().max()) <= 0.1 + 1e-8  # 0.1 in single precision


def test_learning_rates_follow_groups_and_schedules() -> None:
    layer = nn.Linear(4, 3, bias=False)
    analog = convert_to_analog(layer, perfect())
    optimizer = AnalogSGD(analog.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
    x = torch.randn(6, 4)
    moved = []
    for _ in range(2):
        before = analog.get_weights()[0]
        optimizer.zero_grad()
        analog(x).backward(torch.ones(6, 3))
        optimizer.step()
        schedule.step()
        moved.append(analog.get_weights()[0] - before)
    close(moved[1], 0.1 * moved[0], 100)


def test_zero_grad_forgets_what_tiles_have_seen() -> None:
    layer = AnalogLinear(4, 3, config=perfect(), seed=1)
    optimizer = AnalogSGD(layer.parameters(), lr=1.0)
    layer(torch.randn(2, 4)).sum().backward()
    optimizer.zero_grad()
    before = layer.get_weights()[0]
    optimizer.step()
    assert torch.equal(before, layer.get_weights()[0])


def test_closures_are_evaluated_with_gradients() -> None:
    layer = AnalogLinear(4, 3, config=perfect(), seed=1)
    optimizer = AnalogSGD(layer.parameters(), lr=0.01)
    x = torch.randn(2, 4)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = layer(x).square().sum()
        loss.backward()
        return loss

    first = optimizer.step(closure)
    assert float(optimizer.step(closure)) < float(first)


def test_what_tiles_cannot_do_is_refused() -> None:
    layer = AnalogLinear(4, 3, config=perfect(), seed=1)
    layer(torch.randn(2, 4)).sum().backward()
    with pytest.raises(ValueError, match="maximize"):
        AnalogSGD(layer.parameters(), lr=0.1, maximize=True).step()
    with pytest.raises(TypeError, match="LBFGS"):
        AnalogOptimizer(torch.optim.LBFGS, layer.parameters())


def test_a_learning_rate_that_is_not_finite_is_refused() -> None:
    layer = AnalogLinear(4, 3, config=perfect(), seed=1)
    optimizer = AnalogSGD(layer.parameters(), lr=float("nan"))
    layer(torch.randn(2, 4)).sum().backward()
    with pytest.raises(ValueError, match="learning rate"):
        optimizer.step()
