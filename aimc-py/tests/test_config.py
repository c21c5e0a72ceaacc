"""Records of Python and tables of TOML are the same."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from aimc import _native, build_config, config, ideal_tile, presets
from aimc._record import Record, decode

ROOTS = ["TrainingTileConfig", "HardwareAwareTileConfig", "InferenceTileConfig", "CalibrationConfig", "EvaluationConfig"]


def _generator() -> Any:
    path = Path(__file__).parents[1] / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_files_are_up_to_date() -> None:
    for path, text in _generator().files().items():
        assert Path(path).read_text() == text, f"run generate.py to renew {path}"


@pytest.mark.parametrize("name", ROOTS)
def test_defaults_are_those_of_the_crates(name: str) -> None:
    kind = getattr(config, name)
    full = json.loads(_native.resolve(kind.KIND, kind().to_json()))
    assert full == json.loads(_native.resolve(kind.KIND, "{}"))
    assert kind.from_dict({}) == kind()


def _records() -> list[type[Record]]:
    found = [value for value in vars(config).values() if isinstance(value, type) and issubclass(value, Record)]
    return [kind for kind in found if kind is not Record]


@pytest.mark.parametrize("kind", [k for k in _records() if k.KIND], ids=lambda kind: kind.__name__)
def test_records_go_through_the_gate_and_back(kind: Any) -> None:
    cells = [config.SoftBoundsDevice(), config.SoftBoundsDevice(w_max=0.5)]
    parts = {"devices": cells, "device": cells[0]} if kind.__name__.endswith("UnitCell") else {}
    record = kind(**{f.name: parts[f.name] for f in dataclasses.fields(kind) if f.name in parts})
    text = _native.resolve(kind.KIND, record.to_json())
    assert decode(kind, json.loads(text)) == decode(kind, json.loads(_native.resolve(kind.KIND, text)))


PRESETS = [name for name, value in vars(presets).items() if value.__class__ is type(ideal_tile) and name[0].isupper()]


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name: str) -> None:
    getattr(presets, name)().validate()


def test_all_presets_are_there() -> None:
    assert len(PRESETS) == len(_native.preset_names())


def test_presets_take_changes() -> None:
    plain = presets.TikiTakaEcRamPreset()
    changed = presets.TikiTakaEcRamPreset(forward={"out_noise": 0.25}, algorithm={"transfer_every": 3.0})
    assert changed.forward.out_noise == 0.25
    assert changed.algorithm.transfer_every == 3.0
    assert changed.replace(forward=plain.forward, algorithm=plain.algorithm) == plain
    assert presets.EcRamPresetDevice(dw_min=0.5).dw_min == 0.5


def test_toml_is_read() -> None:
    text = 'algorithm = { model = "TikiTaka", transfer_every = 2 }\n[device]\npreset = "EcRam"\nw_max = 0.5'
    tile = config.TrainingTileConfig.from_toml(text)
    assert isinstance(tile.algorithm, config.TikiTaka) and tile.algorithm.transfer_every == 2.0
    assert isinstance(tile.device, config.LinearStepDevice) and tile.device.w_max == 0.5
    assert config.TrainingTileConfig.from_dict(tile.to_dict()) == tile


def test_whole_tiles_from_few_words() -> None:
    tile = ideal_tile()
    assert isinstance(tile.device, config.IdealUnitCell) and tile.forward.is_perfect
    agad = build_config("agad", presets.EcRamPresetDevice())
    assert isinstance(agad.algorithm, config.Agad)
    pair = build_config("sgd", presets.EcRamPresetDevice(), devices_per_weight=2)
    assert isinstance(pair.device, config.VectorUnitCell) and len(pair.device.devices) == 2
    with pytest.raises(ValueError, match="algorithm = agda"):
        build_config("agda", presets.EcRamPresetDevice())
    with pytest.raises(ValueError, match="devices_per_weight = 0"):
        build_config("sgd", presets.EcRamPresetDevice(), devices_per_weight=0)
