"""LeNet on MNIST: the same script on tiles of aimc and of AIHWKit 1.1.0, in turn, in one run.

    python aimc-py/benches/lenet.py --data DIR --seeds 5 --epochs 5

DIR holds the four IDX files of MNIST (`cargo xtask data mnist` writes a part of it). Network, optimizer and batch are those of
AIHWKit's example of LeNet; only the imports differ. Prints a table of seconds per epoch (medians over all epochs), on the clock and on
the processor, and of the accuracy over seeds with 95 % intervals. Needs aihwkit==1.1.0 with torch==2.10.0.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from aimc import set_num_threads

#: t(0.975; n - 1) of Student.
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}


def read_idx(path: Path) -> Tensor:
    """An uncompressed IDX file of bytes."""
    raw = path.read_bytes()
    sizes = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return torch.frombuffer(bytearray(raw[4 + 4 * len(sizes) :]), dtype=torch.uint8).reshape(sizes)


def mnist(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """Images [n, 1, 28, 28] in 0 … 1, and labels."""
    images = read_idx(folder / f"{part}-images-idx3-ubyte").unsqueeze(1) / 255.0
    return images, read_idx(folder / f"{part}-labels-idx1-ubyte").long()


def lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(512, 128),
        nn.Tanh(),
        nn.Linear(128, 10),
        nn.LogSoftmax(dim=1),
    )


def with_aimc(model: nn.Module, preset: str, lr: float, seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    from aimc import presets
    from aimc.nn import convert_to_analog
    from aimc.optim import AnalogSGD

    analog = convert_to_analog(model, getattr(presets, preset)(), seed=seed)
    return analog, AnalogSGD(analog.parameters(), lr=lr)


def with_aihwkit(model: nn.Module, preset: str, lr: float, seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    from aihwkit.nn.conversion import convert_to_analog
    from aihwkit.optim import AnalogSGD
    from aihwkit.simulator import presets

    analog = convert_to_analog(model, getattr(presets, preset)())
    optimizer = AnalogSGD(analog.parameters(), lr=lr)
    optimizer.regroup_param_groups(analog)
    return analog, optimizer


def epoch(model: nn.Module, optimizer: torch.optim.Optimizer, data: tuple[Tensor, Tensor], batch: int) -> tuple[float, float]:
    """Seconds of an epoch, on the clock and on the processor."""
    model.train()
    x, y = data
    start, worked = time.perf_counter(), time.process_time()
    for indices in torch.randperm(len(x)).split(batch):
        optimizer.zero_grad()
        nn.functional.nll_loss(model(x[indices]), y[indices]).backward()
        optimizer.step()
    return time.perf_counter() - start, time.process_time() - worked


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    model.eval()
    with torch.no_grad():
        right = sum(int((model(a).argmax(1) == b).sum()) for a, b in zip(x.split(250), y.split(250)))
    return right / len(x)


def interval(values: list[float]) -> str:
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{100 * mean:.2f} %"
    half = STUDENT[len(values)] * statistics.stdev(values) / len(values) ** 0.5
    return f"{100 * mean:.2f} ± {100 * half:.2f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--preset", default="GokmenVlasovPreset", help="by the name that both know")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--samples", type=int, default=0, help="training samples, 0 for all")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    set_num_threads(args.threads)
    x, y = mnist(args.data, "train")
    x, y = (x[: args.samples], y[: args.samples]) if args.samples else (x, y)
    test = mnist(args.data, "t10k")
    engines: dict[str, Callable[..., Any]] = {"aimc": with_aimc, "AIHWKit": with_aihwkit}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in engines}
    reached: dict[str, list[float]] = {name: [] for name in engines}
    for seed in range(args.seeds):
        runs = {}
        for name, build in engines.items():
            torch.manual_seed(seed)
            runs[name] = build(lenet(), args.preset, args.lr, seed)
        for number in range(args.epochs):
            for name, (model, optimizer) in runs.items():
                torch.manual_seed(1000 * seed + number)
                seconds[name].append(epoch(model, optimizer, (x, y), args.batch))
        for name, (model, _) in runs.items():
            reached[name].append(accuracy(model, *test))
            clock, processor = seconds[name][-1]
            print(f"seed {seed} {name}: {clock:.2f} s, {processor:.2f} s, {reached[name][-1]:.4f}", flush=True)
    print(f"{len(x)} training samples, batch {args.batch}, lr {args.lr}, {args.epochs} epochs, {args.threads} threads, {args.preset}")
    print("| engine | seconds per epoch | on the processor | accuracy |\n|---|---:|---:|---:|")
    medians = {name: [statistics.median(kind) for kind in zip(*values)] for name, values in seconds.items()}
    for name, (clock, processor) in medians.items():
        print(f"| {name} | {clock:.2f} | {processor:.2f} | {interval(reached[name])} |")
    ratios = [theirs / ours for theirs, ours in zip(medians["AIHWKit"], medians["aimc"])]
    print(f"ratios {ratios[0]:.2f} and {ratios[1]:.2f}; accuracies seed by seed: {reached}")


if __name__ == "__main__":
    main()
