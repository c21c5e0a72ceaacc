"""With noise, products, gradients and updates have the moments that were measured on AIHWKit 1.1.0.

The data are a part of the project's golden data. A difference is judged in units of its standard error; with some 200 comparisons, 6 of
them give a false alarm at a rate below 1e-6 (the two-sided tail of a normal law beyond 6 is 2e-9).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from aimc.config import ConstantStepDevice, IdealUnitCell, IoConfig, TrainingTileConfig, UpdateConfig
from aimc.nn import AnalogLinear
from aimc.optim import AnalogSGD

GOLDEN = json.loads((Path(__file__).parent / "data" / "aihwkit_moments.json").read_text())
LIMIT = 6.0


def agree(samples: torch.Tensor, expected: dict[str, Any]) -> None:
    """Mean and std of [repeats, …] against those of the reference."""
    samples = samples.double()
    n = samples.shape[0]
    mean, std = samples.mean(0), samples.std(0)
    fourth = (samples - mean).pow(4).mean(0)
    # Var(s²) = (μ₄ - σ⁴)/n, so that s has the standard error √(Var(s²))/(2s).
    std_se = ((fourth - std.pow(4)).clamp(min=0) / n).sqrt() / (2 * std.clamp(min=1e-12))
    for value, se, name in ((mean, std / n**0.5, "mean"), (std, std_se, "std")):
        reference = torch.tensor(expected[name], dtype=torch.float64)
        reference_se = torch.tensor(expected[f"{name}_se"], dtype=torch.float64)
        # Single precision of the sums, and seven printed digits.
        floor = 1e-6 * (1 + reference.abs())
        z = (value - reference).abs() / (se.square() + reference_se.square() + floor.square()).sqrt()
        assert float(z.max()) < LIMIT, (name, z, value, reference)


@pytest.mark.parametrize("case", GOLDEN["products"], ids=lambda case: case["name"])
def test_products_and_gradients(case: dict[str, Any]) -> None:
    repeats = 20_000
    io = IoConfig.from_dict(case["io"])
    tile = TrainingTileConfig(device=IdealUnitCell(), forward=io, backward=io)
    layer = AnalogLinear(6, 4, bias=False, config=tile, seed=1)
    layer.set_weights(torch.tensor(GOLDEN["data"]["W"]))
    for row, x in enumerate(GOLDEN["data"]["X"]):
        with torch.no_grad():
            y = layer(torch.tensor(x).expand(repeats, -1))
        agree(y, {key: values[row] for key, values in case["y"].items()})
    for row, d in enumerate(GOLDEN["data"]["D"]):
        x = torch.zeros(repeats, 6, requires_grad=True)
        layer(x).backward(torch.tensor(d).expand(repeats, -1))
        agree(x.grad, {key: values[row] for key, values in case["x_grad"].items()})


@pytest.mark.parametrize("case", GOLDEN["updates"], ids=lambda case: case["name"])
def test_updates(case: dict[str, Any]) -> None:
    repeats = 4000
    tile = TrainingTileConfig(
        device=ConstantStepDevice(**case["device"]),
        update=UpdateConfig(**case["update"], pulse_source="LaggedFibonacci"),
    )
    layer = AnalogLinear(3, 2, bias=False, config=tile, seed=2)
    optimizer = AnalogSGD(layer.parameters(), lr=case["lr"])
    x, d = torch.tensor([case["x"]]), torch.tensor([case["d"]])
    start = torch.full((2, 3), float(case["w_start"]))
    steps = torch.empty(repeats, 2, 3)
    for i in range(repeats):
        layer.set_weights(start)
        layer(x).backward(d)
        optimizer.step()
        steps[i] = layer.get_weights()[0] - start
    agree(steps, case["dw"])


def test_output_noise_is_that_of_its_equation() -> None:
    """y = W x + σ ξ without converters: mean W x, std σ."""
    n, sigma = 50_000, 0.06
    io = IoConfig(inp_res=0.0, out_res=0.0, bound_management="None", noise_management="None", out_noise=sigma)
    layer = AnalogLinear(3, 2, bias=False, config=TrainingTileConfig(forward=io), seed=5)
    x = torch.tensor([0.5, -0.25, 1.0])
    y = layer(x.expand(n, -1)).detach().double()
    exact = (layer.get_weights()[0] @ x).double()
    assert float(((y.mean(0) - exact).abs() / (sigma / n**0.5)).max()) < LIMIT
    assert float(((y.std(0) - sigma).abs() / (sigma / (2 * n) ** 0.5)).max()) < LIMIT
