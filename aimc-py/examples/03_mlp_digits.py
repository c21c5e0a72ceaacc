"""A perceptron of three layers on handwritten digits, with a schedule of the learning rate (AIHWKit's example 03, on MNIST there)."""

from common import accuracy, digits, fit, options
from torch import nn, optim

from aimc.config import ConstantStepDevice, TrainingTileConfig
from aimc.nn import convert_to_analog
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=20)
    x, y, test_x, test_y = digits()
    layers = nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 128),
        nn.Sigmoid(),
        nn.Linear(128, 64),
        nn.Sigmoid(),
        nn.Linear(64, 10),
        nn.LogSoftmax(1),
    )
    model = convert_to_analog(layers, TrainingTileConfig(device=ConstantStepDevice()), seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.3)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5)
    losses = fit(model, optimizer, x, y, nn.functional.nll_loss, epochs=epochs, batch=16, schedule=schedule)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}, accuracy {accuracy(model, test_x, test_y):.4f}")


if __name__ == "__main__":
    main()
