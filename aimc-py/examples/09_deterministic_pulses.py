"""Implicit deterministic pulse trains instead of random ones (AIHWKit's example 09)."""

from common import X, Y, fit, options
from torch import nn

from aimc.config import ConstantStepDevice, TrainingTileConfig, UpdateConfig
from aimc.nn import AnalogLinear
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=100)
    update = UpdateConfig(
        pulse_type="DeterministicImplicit", desired_bl=10, x_res_implicit=0.1, d_res_implicit=0.1
    )
    config = TrainingTileConfig(device=ConstantStepDevice(dw_min=0.01), update=update)
    model = AnalogLinear(4, 2, config=config, seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.1)
    losses = fit(model, optimizer, X, Y, nn.functional.mse_loss, epochs=epochs, batch=2)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
