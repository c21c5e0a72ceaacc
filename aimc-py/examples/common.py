"""What the examples share: data that come with the repository, a training loop, options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

DIGITS = Path(__file__).parents[2] / "data" / "digits" / "optdigits.csv"

#: The data of AIHWKit's first examples: four inputs and the outputs that are wanted.
X = torch.tensor([[0.1, 0.2, 0.4, 0.3], [0.2, 0.1, 0.1, 0.3]])
Y = torch.tensor([[1.0, 0.5], [0.7, 0.3]])


def options(description: str | None, epochs: int) -> int:
    """The number of epochs from the command line."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=epochs)
    torch.manual_seed(1)
    return int(parser.parse_args().epochs)


def digits(size: int = 8) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """1437 handwritten digits to learn and 360 to test: images [n, 1, size, size] in 0 … 1, and labels."""
    rows = [[int(cell) for cell in line.split(",")] for line in DIGITS.read_text().splitlines()]
    table = torch.tensor(rows, dtype=torch.float32)
    images, labels = table[:, :64].reshape(-1, 1, 8, 8) / 16.0, table[:, 64].long()
    if size != 8:
        images = nn.functional.interpolate(images, (size, size), mode="bilinear")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images, labels = images[order], labels[order]
    return images[:1437], labels[:1437], images[1437:], labels[1437:]


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    y: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    epochs: int,
    batch: int,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
) -> list[float]:
    """Trains, and gives the mean loss of each epoch."""
    history = []
    model.train()
    for _ in range(epochs):
        total = 0.0
        for indices in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            value = loss(model(x[indices]), y[indices])
            value.backward()
            optimizer.step()
            total += float(value.detach()) * len(indices)
        history.append(total / len(x))
        if schedule is not None:
            schedule.step()
    return history


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of right answers, in evaluation."""
    model.eval()
    with torch.no_grad():
        return float((model(x).argmax(1) == y).float().mean())
