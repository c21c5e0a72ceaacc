"""LeNet-5 with a training algorithm of choice on a device of choice (AIHWKit's example 04, on MNIST there)."""

from common import accuracy, digits, fit, options
from torch import nn

from aimc import build_config, presets
from aimc.nn import convert_to_analog
from aimc.optim import AnalogSGD


def lenet() -> nn.Module:
    """For images of 28 x 28 points."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 128),
        nn.Tanh(),
        nn.Linear(128, 10),
        nn.LogSoftmax(1),
    )


def main() -> None:
    epochs = options(__doc__, epochs=10)
    x, y, test_x, test_y = digits(28)
    # Others: ttv1, ttv2, c-ttv2, agad, mp.
    tile = build_config("sgd", presets.GokmenVlasovPresetDevice())
    model = convert_to_analog(lenet(), tile, seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.05)
    losses = fit(model, optimizer, x, y, nn.functional.nll_loss, epochs=epochs, batch=8)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}, accuracy {accuracy(model, test_x, test_y):.4f}")


if __name__ == "__main__":
    main()
