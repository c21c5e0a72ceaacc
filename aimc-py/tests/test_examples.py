"""Every example runs, with few epochs, and says what it should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

#: Examples with the epochs to run here, and whether their loss must fall.
SHORT = {
    "01_simple_layer": (30, True),
    "02_multiple_layers": (30, True),
    "03_mlp_digits": (3, True),
    "05_hardware_aware_layer": (30, True),
    "07_several_devices_per_weight": (30, True),
    "08_tiki_taka": (200, True),
    "09_deterministic_pulses": (30, True),
    "12_mixed_precision": (200, True),
    "15_lstm": (10, True),
    "26_correlation_detection": (20, False),
    "quick_start": (2, False),
}
#: Examples that take minutes, or data of their own.
LONG = {"04_lenet5", "06_hardware_aware_lenet5", "minilm"}


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, f"{name}.py", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=EXAMPLES, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SHORT)
def test_example(name: str) -> None:
    epochs, falls = SHORT[name]
    output = run(name, "--epochs", str(epochs))
    losses = re.search(r"loss (\S+) -> ([0-9.]+)", output)
    assert output and (not falls or (losses and float(losses[2]) < float(losses[1]))), output


def test_the_matrix() -> None:
    output = run("23_tile_as_matrix")
    assert float(re.search(r"product: relative error (\S+)", output)[1]) < 0.2


def test_all_examples_are_listed() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")} - {"common"}
    assert names == {*SHORT, *LONG, "23_tile_as_matrix"}
