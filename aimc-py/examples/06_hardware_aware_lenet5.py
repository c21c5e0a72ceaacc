"""Hardware-aware training of LeNet-5, then its accuracy over time on a chip (AIHWKit's example 06, on MNIST there)."""

from importlib import import_module

from common import accuracy, digits, fit, options
from torch import nn

from aimc.config import HardwareAwareTileConfig, InferenceTileConfig, IoConfig, MappingConfig, PeripheryConfig
from aimc.inference import evaluate_over_time
from aimc.nn import convert_to_analog
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=10)
    x, y, test_x, test_y = digits(28)
    forward = IoConfig(out_res=-1.0, w_noise_type="AdditiveConstant", w_noise=0.02)
    periphery = PeripheryConfig(mapping=MappingConfig(weight_scaling_omega=1.0))
    tile = HardwareAwareTileConfig(forward=forward, periphery=periphery)
    model = convert_to_analog(import_module("04_lenet5").lenet(), tile, seed=1)
    optimizer = AnalogSGD(model.parameters(), lr=0.05)
    losses = fit(model, optimizer, x, y, nn.functional.nll_loss, epochs=epochs, batch=8)
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}, accuracy {accuracy(model, test_x, test_y):.4f}")
    chip = InferenceTileConfig(forward=forward, periphery=periphery)
    times = (1.0, 3600.0, 86_400.0, 31_536_000.0)
    for at in evaluate_over_time(model, chip, lambda net: accuracy(net, test_x, test_y), times, repeats=3, seed=1):
        print(f"after {at.time_seconds:.0f} s: {at.mean:.4f}, 95 % interval {at.confidence_95}")


if __name__ == "__main__":
    main()
