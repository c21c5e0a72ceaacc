"""With perfect tiles every layer is PyTorch's own: outputs, gradients, and a step."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from helpers import close, perfect, perfect_memory
from torch import nn

from aimc.nn import AnalogLinear, convert_to_analog, convert_to_digital
from aimc.optim import AnalogSGD

CASES = 12


def _both(digital: nn.Module, config: Any) -> nn.Module:
    return convert_to_analog(digital, config, seed=3)


def _compare(digital: nn.Module, config: Any, x: torch.Tensor, terms: int) -> None:
    """Outputs, gradients of the input, and weights after a step."""
    analog = _both(digital, config)
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, expected = analog(mine), digital(theirs)
    y, expected = (out[0] if isinstance(out, tuple) else out for out in (y, expected))
    close(y, expected, terms)
    direction = torch.randn_like(expected)
    optimizers = [AnalogSGD(analog.parameters(), lr=0.25), torch.optim.SGD(digital.parameters(), lr=0.25)]
    y.backward(direction)
    expected.backward(direction)
    assert mine.grad is not None and theirs.grad is not None
    close(mine.grad, theirs.grad, terms)
    for optimizer in optimizers:
        optimizer.step()
    back = convert_to_digital(analog).state_dict()
    for name, value in digital.state_dict().items():
        close(back[name], value, terms * x.shape[0])


def _random_conv(rng: random.Random, dimensions: int) -> tuple[nn.Module, torch.Tensor, int]:
    groups = rng.choice([1, 1, 2, 3])
    channels, outputs = groups * rng.randint(1, 3), groups * rng.randint(1, 3)
    each = lambda low, high: tuple(rng.randint(low, high) for _ in range(dimensions))  # noqa: E731
    kernel, dilation = each(1, 3), each(1, 2)
    options: dict[str, Any] = {"stride": each(1, 2), "padding": each(0, 2), "dilation": dilation}
    options["padding_mode"] = rng.choice(["zeros", "zeros", "circular", "replicate"])
    if rng.random() < 0.2:
        options["stride"], options["padding"] = 1, rng.choice(["same", "valid"])
    kind = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[dimensions]
    layer = kind(channels, outputs, kernel, groups=groups, bias=rng.random() < 0.5, **options)
    size = tuple(d * (k - 1) + rng.randint(1, 4) + 1 for k, d in zip(kernel, dilation))
    x = torch.randn(rng.randint(1, 4), channels, *size)
    return layer, x, layer.weight[0].numel()


@pytest.mark.parametrize("case", range(CASES))
@pytest.mark.parametrize("config", [perfect(), perfect(largest=7), perfect_memory()])
def test_linear(case: int, config: Any) -> None:
    rng = random.Random(case)
    inputs, outputs = rng.randint(1, 20), rng.randint(1, 20)
    shape = [rng.randint(1, 4) for _ in range(rng.randint(0, 3))]
    layer = nn.Linear(inputs, outputs, bias=rng.random() < 0.5)
    _compare(layer, config, torch.randn(*shape, inputs), 20 * 64)


@pytest.mark.parametrize("case", range(CASES))
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_convolution(case: int, dimensions: int) -> None:
    rng = random.Random(100 * dimensions + case)
    layer, x, terms = _random_conv(rng, dimensions)
    analog_bias = rng.random() < 0.3
    _compare(layer, perfect(analog_bias), x, terms * 500)


def test_convolution_of_a_single_image() -> None:
    layer = nn.Conv2d(2, 3, 3)
    x = torch.randn(2, 5, 6)
    close(_both(layer, perfect())(x), layer(x), 18)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("case", range(6))
def test_recurrent(kind: Any, case: int) -> None:
    rng = random.Random(case)
    features, hidden = rng.randint(1, 5), rng.randint(1, 5)
    layer = kind(
        features,
        hidden,
        num_layers=rng.randint(1, 3),
        bias=rng.random() < 0.7,
        batch_first=rng.random() < 0.5,
        bidirectional=rng.random() < 0.5,
        **({"nonlinearity": rng.choice(["tanh", "relu"])} if kind is nn.RNN else {}),
    )
    x = torch.randn(rng.randint(1, 4), rng.randint(1, 4), features)
    _compare(layer, perfect(), x, 1000)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_states(kind: Any) -> None:
    """First and last states, and sequences without batch."""
    layer = kind(3, 4, num_layers=2, bidirectional=True)
    analog = _both(layer, perfect())
    for batch in [(5,), ()]:
        first = torch.randn(4, *batch, 4)
        given = (first, torch.randn(4, *batch, 4)) if kind is nn.LSTM else first
        x = torch.randn(6, *batch, 3)
        (y, last), (expected, expected_last) = analog(x, given), layer(x, given)
        close(y, expected, 100)
        for mine, theirs in zip(last, expected_last):
            close(mine, theirs, 100)
    with pytest.raises(TypeError, match="packed"):
        analog(nn.utils.rnn.pack_sequence([torch.randn(3, 3)]))
    with pytest.raises(ValueError, match="first state"):
        bad = torch.randn(3, 5, 4)
        analog(torch.randn(6, 5, 3), (bad, bad) if kind is nn.LSTM else bad)


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_cells(kind: Any) -> None:
    cell = kind(3, 4)
    analog = _both(cell, perfect())
    for batch in [(2,), ()]:
        x, first = torch.randn(*batch, 3), torch.randn(*batch, 4)
        given = (first, torch.randn(*batch, 4)) if kind is nn.LSTMCell else first
        for hx in (None, given):
            mine, theirs = analog(x, hx), cell(x, hx)
            for a, b in zip(mine, theirs) if isinstance(mine, tuple) else [(mine, theirs)]:
                close(a, b, 20)
    back = convert_to_digital(analog)
    for name, value in cell.state_dict().items():
        close(back.state_dict()[name], value, 1)


def test_dropout_between_recurrent_layers_drops_in_training_only() -> None:
    analog = _both(nn.LSTM(3, 8, num_layers=2, dropout=0.5), perfect())
    x = torch.randn(4, 2, 3)
    assert not torch.equal(analog(x)[0], analog(x)[0])
    analog.eval()
    assert torch.equal(analog(x)[0], analog(x)[0])


def test_inputs_need_not_be_contiguous() -> None:
    layer = nn.Linear(6, 3)
    analog = _both(layer, perfect())
    x = torch.randn(6, 4).t()
    assert not x.is_contiguous()
    close(analog(x), layer(x), 6)
    close(analog(x[::2, :]), layer(x[::2, :]), 6)
    image = torch.randn(2, 5, 5, 3).permute(0, 3, 1, 2)
    conv = nn.Conv2d(3, 2, 3)
    close(_both(conv, perfect())(image), conv(image), 27)


def test_gradients_are_added_up_over_batches() -> None:
    """Two backward passes and one step are one pass over both batches."""
    layer = nn.Linear(4, 3)
    split, whole = _both(layer, perfect()), _both(layer, perfect())
    x = torch.randn(6, 4)
    for part in (x[:2], x[2:]):
        split(part).square().sum().backward()
    whole(x).square().sum().backward()
    for model in (split, whole):
        AnalogSGD(model.parameters(), lr=0.1).step()
    close(split.get_weights()[0], whole.get_weights()[0], 6)


def test_a_layer_used_twice_learns_from_both_uses() -> None:
    layer = nn.Linear(3, 3)
    analog = _both(layer, perfect())
    x = torch.randn(5, 3)
    for model in (layer, analog):
        model(model(x)).square().sum().backward()
    AnalogSGD(analog.parameters(), lr=0.1).step()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
    close(analog.get_weights()[0], layer.weight, 50)


def test_nothing_is_kept_without_gradients() -> None:
    analog = AnalogLinear(3, 2, config=perfect())
    with torch.no_grad():
        assert not analog(torch.randn(2, 3)).requires_grad
    assert analog.tiles[0].pending == []
    analog.requires_grad_(False)
    y = analog(torch.randn(2, 3, requires_grad=True))
    y.sum().backward()
    assert analog.tiles[0].pending == [], "frozen layers do not learn"


def test_hooks_see_the_layer() -> None:
    analog, seen = AnalogLinear(3, 2, config=perfect()), []
    analog.register_forward_hook(lambda module, args, out: seen.append(out.shape))
    analog.register_full_backward_hook(lambda module, grads, outs: seen.append(grads[0].shape))
    analog(torch.randn(4, 3, requires_grad=True)).sum().backward()
    assert seen == [(4, 2), (4, 3)]


def test_second_derivatives_are_refused() -> None:
    analog = AnalogLinear(3, 2, config=perfect())
    x = torch.randn(4, 3, requires_grad=True)
    (grad,) = torch.autograd.grad(analog(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable|does not require grad"):
        grad.sum().backward()


def test_empty_batches_pass() -> None:
    assert AnalogLinear(3, 2, config=perfect())(torch.empty(0, 3)).shape == (0, 2)
