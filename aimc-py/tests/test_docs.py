"""Examples in the documentation run."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["aimc", "aimc._build", "aimc.nn.linear", "aimc.optim"])
def test_docstrings(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0 and found.failed == 0


@pytest.mark.parametrize("page", ["docs/python.md", "README.md"])
def test_pages(page: str) -> None:
    names = {"x": torch.randn(5, 8, 8), "y": torch.zeros(5).long()}
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.S)
    assert blocks
    for block in blocks:
        exec(block, names)
