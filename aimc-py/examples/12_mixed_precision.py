"""Mixed precision: gradients are accumulated digitally, soft-bounds devices hold the weights (AIHWKit's example 12)."""

from common import X, Y, fit, options
from torch import nn

from aimc.config import MixedPrecision, SoftBoundsDevice, TrainingTileConfig
from aimc.nn import AnalogLinear
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=500)
    config = TrainingTileConfig(algorithm=MixedPrecision(), device=SoftBoundsDevice())
    model = AnalogLinear(4, 2, config=config, seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.1)
    losses = fit(model, optimizer, X, Y, nn.functional.mse_loss, epochs=epochs, batch=2)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
