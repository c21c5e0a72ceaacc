"""Tiki-Taka on soft-bounds devices (AIHWKit's example 08)."""

from common import X, Y, fit, options
from torch import nn

from aimc.config import SoftBoundsDevice, TikiTaka, TrainingTileConfig
from aimc.nn import AnalogLinear
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=500)
    devices = [SoftBoundsDevice(w_min=-0.3, w_max=0.3), SoftBoundsDevice(w_min=-0.6, w_max=0.6)]
    tiki_taka = TikiTaka(devices=devices, transfer_every=2.0, units_in_mbatch=False)
    model = AnalogLinear(4, 2, config=TrainingTileConfig(algorithm=tiki_taka), seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.1)
    losses = fit(model, optimizer, X, Y, nn.functional.mse_loss, epochs=epochs, batch=2)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
