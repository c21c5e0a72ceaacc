"""One analog layer learns two vectors on constant-step devices (AIHWKit's example 01)."""

from common import X, Y, fit, options
from torch import nn

from aimc.config import ConstantStepDevice, TrainingTileConfig
from aimc.nn import AnalogLinear
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=100)
    model = AnalogLinear(4, 2, config=TrainingTileConfig(device=ConstantStepDevice()), seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.1)
    losses = fit(model, optimizer, X, Y, nn.functional.mse_loss, epochs=epochs, batch=2)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
