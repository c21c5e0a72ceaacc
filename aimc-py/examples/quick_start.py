"""Quick start: a trained network on analog tiles, trained on, and put on a chip of phase-change memory."""

from common import accuracy, digits, fit, options
from torch import nn, optim

from aimc import presets
from aimc.config import InferenceTileConfig
from aimc.inference import evaluate_over_time
from aimc.nn import analog_summary, convert_to_analog
from aimc.optim import AnalogSGD


def main() -> None:
    epochs = options(__doc__, epochs=8)
    x, y, test_x, test_y = digits()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.Sigmoid(), nn.Linear(48, 10), nn.LogSoftmax(1))
    fit(model, optim.SGD(model.parameters(), lr=0.3), x, y, nn.functional.nll_loss, epochs=epochs, batch=10)
    print(f"in floating point: {accuracy(model, test_x, test_y):.4f}")

    analog = convert_to_analog(model, presets.GokmenVlasovPreset(), seed=1)
    print(analog_summary(analog, x[:1]))
    print(f"on pulsed devices: {accuracy(analog, test_x, test_y):.4f}")
    fit(analog, AnalogSGD(analog.parameters(), lr=0.1), x, y, nn.functional.nll_loss, epochs=epochs, batch=10)
    print(f"trained there: {accuracy(analog, test_x, test_y):.4f}")

    times = (1.0, 86_400.0, 31_536_000.0)
    chip = InferenceTileConfig()
    measured = evaluate_over_time(analog, chip, lambda net: accuracy(net, test_x, test_y), times, repeats=5, seed=1)
    for at in measured:
        low, high = at.confidence_95 or (at.mean, at.mean)
        print(f"in PCM after {at.time_seconds:.0f} s: {at.mean:.4f} ({low:.4f} … {high:.4f})")


if __name__ == "__main__":
    main()
