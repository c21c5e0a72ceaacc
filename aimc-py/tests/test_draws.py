"""Same seed, same bits: whatever threads, batches, evaluations and other generators do."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

import aimc
from aimc import presets
from aimc.config import HardwareAwareTileConfig, WeightModifierConfig
from aimc.nn import AnalogLinear, convert_to_analog
from aimc.optim import AnalogSGD


def _model(seed: int = 7) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, groups=1), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5))
    return convert_to_analog(model, presets.EcRamPreset(), seed=seed)


def _train(model: nn.Module, steps: int = 5, start: int = 0) -> list[torch.Tensor]:
    optimizer = AnalogSGD(model.parameters(), lr=0.1)
    outputs = []
    for step in range(start, start + steps):
        x = torch.randn(8, 1, 6, 6, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        y = model(x)
        y.square().mean().backward()
        optimizer.step()
        outputs.append(y.detach())
    return outputs


def _same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_seed_gives_the_same_bits() -> None:
    first = _train(_model())
    torch.manual_seed(99)
    assert _same(first, _train(_model()))
    assert not _same(first, _train(_model(seed=8)))


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_matter(threads: int) -> None:
    first = _train(_model())
    aimc.set_num_threads(threads)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert _same(first, _train(_model()))
    finally:
        aimc.set_num_threads(0)
        torch.set_num_threads(before)


def test_an_evaluation_in_between_changes_no_training() -> None:
    model, probed = _model(), _model()
    plain = _train(model, 4)
    first = _train(probed, 2)
    probed.eval()
    with torch.no_grad():
        probed(torch.randn(13, 1, 6, 6))
    probed.train()
    assert _same(plain, first + _train(probed, 2, start=2))


@pytest.mark.parametrize("train", [True, False])
def test_splitting_a_batch_changes_no_draw(train: bool) -> None:
    whole, split = (AnalogLinear(5, 3, config=presets.EcRamPreset(), seed=1).train(train) for _ in range(2))
    split.set_weights(*whole.get_weights())
    whole.set_weights(*whole.get_weights())
    x = torch.randn(10, 5)
    parts = torch.cat([split(x[:3]), split(x[3:4]), split(x[4:])])
    # Sums may round differently, and a rounded output may then fall on the next step of the ADC; draws would differ by far more.
    torch.testing.assert_close(parts, whole(x), rtol=0.0, atol=2e-5)


def test_layers_without_seed_follow_the_generator_of_pytorch() -> None:
    def two() -> list[torch.Tensor]:
        return [AnalogLinear(4, 4, config=presets.EcRamPreset())(torch.ones(1, 4)) for _ in range(2)]

    torch.manual_seed(3)
    first = two()
    torch.manual_seed(3)
    assert _same(first, two())
    assert not torch.equal(first[0], first[1]), "two layers have devices of their own"


def test_layers_of_a_model_draw_differently() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].load_state_dict(model[0].state_dict())
    analog = convert_to_analog(model, presets.EcRamPreset(), seed=1)
    x = torch.ones(1, 4)
    assert not torch.equal(analog[0](x), analog[1](x))


def test_a_copy_goes_on_with_the_same_draws() -> None:
    model = _model()
    _train(model, 2)
    twin = copy.deepcopy(model)
    assert _same(_train(model, 3, start=2), _train(twin, 3, start=2))


def test_noise_per_sample_is_the_same_in_both_directions() -> None:
    """With exact circuits the gradient of the input is the matrix that the forward pass has used, vector by vector."""
    config = HardwareAwareTileConfig(
        forward=aimc.config.IoConfig(is_perfect=True),
        modifier=WeightModifierConfig(type="AddNormal", std_dev=0.3, per_batch_sample=True, from_first_batch=True),
    )
    layer = AnalogLinear(3, 1, bias=False, config=config, seed=4)
    x = torch.eye(3).repeat(4, 1).requires_grad_()
    y = layer(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.allclose((x.grad * x.detach()).sum(1, keepdim=True), y, atol=1e-6)
    assert len(set(y.flatten().tolist())) == 12, "every vector meets a matrix of its own"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_tiles_work_in_forked_processes() -> None:
    """Workers of data loaders are forks; they have none of the threads of their parent."""
    code = """
import os, torch
from aimc import presets
from aimc.nn import AnalogLinear
layer = AnalogLinear(300, 300, config=presets.EcRamPreset(), seed=1).eval()
x = torch.ones(64, 300)
layer(x)
if os.fork() == 0:
    layer(x)
    os._exit(0)
_, status = os.wait()
raise SystemExit(os.waitstatus_to_exitcode(status))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
