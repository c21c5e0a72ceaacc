"""Several analog layers in a sequence (AIHWKit's example 02)."""

from common import X, Y, fit, options
from torch import nn

from aimc.config import ConstantStepDevice, TrainingTileConfig
from aimc.nn import convert_to_analog
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=100)
    layers = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2), nn.Linear(2, 1), nn.Sigmoid())
    model = convert_to_analog(layers, TrainingTileConfig(device=ConstantStepDevice()), seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.5)
    losses = fit(model, optimizer, X, Y[:, :1], nn.functional.mse_loss, epochs=epochs, batch=2)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
