"""Devices find which of many binary processes are correlated (AIHWKit's example 26).

One device per process. In every step the active processes send x = 1, and all get an error d in proportion to how many are active more
than on average: devices of correlated processes are pulsed together with large errors and drift apart from the others.

Reference: A. Sebastian et al. 2017, Nat. Commun. 8:1115, doi:10.1038/s41467-017-01481-9.
"""

import torch
from common import options

from aimc.config import IoConfig, SoftBoundsDevice, TrainingTileConfig
from aimc.nn import AnalogLinear
from aimc.optim import AnalogSGD

PROCESSES, CORRELATED, RATE, CORRELATION = 200, 30, 0.1, 0.3


def main() -> None:
    steps = 40 * options(__doc__, epochs=50)
    exact = IoConfig(is_perfect=True)
    device = SoftBoundsDevice(dw_min=0.002, w_min=-1.0, w_max=1.0)
    config = TrainingTileConfig(device=device, forward=exact, backward=exact)
    layer = AnalogLinear(PROCESSES, 1, bias=False, config=config, seed=1)
    layer.set_weights(torch.zeros(1, PROCESSES))
    optimizer = AnalogSGD(layer.parameters(), lr=0.0005)
    for _ in range(steps):
        active = torch.rand(PROCESSES) < RATE
        # Each correlated process follows a common one with the probability that gives this correlation.
        follows = torch.rand(CORRELATED) < CORRELATION**0.5
        active[:CORRELATED] = torch.where(follows, torch.rand(()) < RATE, active[:CORRELATED])
        x = active.float().unsqueeze(0)
        momentum = x.sum() - PROCESSES * RATE
        optimizer.zero_grad()
        layer(x).backward(-momentum.reshape(1, 1))
        optimizer.step()
    weights = layer.get_weights()[0].flatten()
    found = set(weights.topk(CORRELATED).indices.tolist())
    right = len(found & set(range(CORRELATED)))
    print(f"{right} of {CORRELATED} correlated processes are among the {CORRELATED} largest of {PROCESSES} weights")


if __name__ == "__main__":
    main()
