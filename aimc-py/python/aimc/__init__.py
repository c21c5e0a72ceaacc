"""Analog in-memory computing inside PyTorch models.

>>> import torch
>>> from aimc import presets
>>> from aimc.nn import convert_to_analog
>>> from aimc.optim import AnalogSGD
>>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
>>> model = convert_to_analog(model, presets.IdealizedPreset(), seed=1)
>>> optimizer = AnalogSGD(model.parameters(), lr=0.1)
>>> model(torch.zeros(3, 4)).square().sum().backward()
>>> optimizer.step()

`aimc.nn`, `aimc.optim` and `aimc.inference` need PyTorch, the rest does not.
"""

from . import config, presets
from ._build import build_config, ideal_tile
from ._native import __version__, set_num_threads

__all__ = ["build_config", "config", "ideal_tile", "presets", "set_num_threads", "__version__"]
