"""Hardware-aware training of one layer, then drift on phase-change memory (AIHWKit's example 05)."""

import torch
from common import X, Y, fit, options
from torch import nn

from aimc.config import (
    HardwareAwareTileConfig,
    InferenceTileConfig,
    IoConfig,
    PcmLikeNoiseModel,
    WeightClipConfig,
    WeightModifierConfig,
)
from aimc.inference import drift_analog_weights, program_analog_weights
from aimc.nn import AnalogLinear
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=100)
    forward = IoConfig(out_res=-1.0, w_noise_type="AdditiveConstant", w_noise=0.02)
    tile = HardwareAwareTileConfig(
        forward=forward,
        clip=WeightClipConfig(type="FixedValue", fixed_value=1.0),
        modifier=WeightModifierConfig(type="AddNormal", std_dev=0.1, pdrop=0.03),
    )
    model = AnalogLinear(4, 2, config=tile, seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.1)
    losses = fit(model, optimizer, X, Y, nn.functional.mse_loss, epochs=epochs, batch=2)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    chip = InferenceTileConfig(device=PcmLikeNoiseModel(g_max=25.0), forward=forward, compensation="Global")
    model.eval()
    program_analog_weights(model, chip, seed=1)
    for t in (0.0, 1.0, 20.0, 1000.0, 1e5):
        drift_analog_weights(model, t)
        with torch.no_grad():
            print(f"after {t:.0f} s: loss {float(nn.functional.mse_loss(model(X), Y)):.4f}")


if __name__ == "__main__":
    main()
