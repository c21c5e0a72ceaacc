"""An LSTM predicts a sine wave: trained hardware-aware, then drifting on a chip (AIHWKit's example 15)."""

import math

import torch
from common import fit, options
from torch import Tensor, nn

from aimc import presets
from aimc.config import InferenceTileConfig
from aimc.inference import drift_analog_weights, program_analog_weights
from aimc.nn import convert_to_analog
from aimc.optim import AnalogAdam


class Predictor(nn.Module):
    """Tells the next point from those before it."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=True)
        self.decoder = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.lstm(x)[0])


def main() -> None:
    epochs = options(__doc__, epochs=50)
    phases = torch.rand(64, 1, 1) * 2 * math.pi
    wave = torch.sin(phases + 2 * math.pi * torch.arange(21).reshape(1, -1, 1) / 20)
    x, y = wave[:, :-1], wave[:, 1:]
    tile = presets.StandardHWATrainingPreset(modifier={"type": "AddNormal", "std_dev": 0.05})
    model = convert_to_analog(Predictor(), tile, seed=1)
    optimizer = AnalogAdam(model.parameters(), lr=0.01)
    losses = fit(model, optimizer, x, y, nn.functional.mse_loss, epochs=epochs, batch=16)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    model.eval()
    program_analog_weights(model, InferenceTileConfig(), seed=1)
    for t in (1.0, 3600.0, 86_400.0, 31_536_000.0):
        drift_analog_weights(model, t)
        with torch.no_grad():
            print(f"after {t:.0f} s: loss {float(nn.functional.mse_loss(model(x), y)):.4f}")


if __name__ == "__main__":
    main()
