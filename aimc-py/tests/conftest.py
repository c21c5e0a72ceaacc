"""Tests of the layers need PyTorch; without it those of the bindings run alone."""

from __future__ import annotations

import importlib.util

import pytest

HAS_TORCH = importlib.util.find_spec("torch") is not None
collect_ignore_glob = [] if HAS_TORCH else ["test_[!nc]*.py", "test_convert.py"]


def pytest_report_header() -> str:
    return "PyTorch: " + ("found" if HAS_TORCH else "missing, only the bindings are tested")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Every test draws the same numbers from PyTorch, in any order of the tests."""
    if HAS_TORCH:
        import torch

        torch.manual_seed(1)
        # Idle threads of PyTorch spin, which slows the tiles down where there are few cores.
        torch.set_num_threads(1)
