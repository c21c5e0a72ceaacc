"""Three different devices per weight, of which a random one takes the pulses (AIHWKit's example 07)."""

from common import X, Y, fit, options
from torch import nn

from aimc.config import ConstantStepDevice, TrainingTileConfig, VectorUnitCell
from aimc.nn import AnalogLinear
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=100)
    devices = [ConstantStepDevice(w_max=0.3), ConstantStepDevice(w_max_dtod=0.4), ConstantStepDevice(up_down_dtod=0.1)]
    cell = VectorUnitCell(devices=devices, update_policy="SingleRandom")
    model = AnalogLinear(4, 2, config=TrainingTileConfig(device=cell), seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.1)
    losses = fit(model, optimizer, X, Y, nn.functional.mse_loss, epochs=epochs, batch=2)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
