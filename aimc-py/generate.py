"""Writes `python/aimc/config.py` and `python/aimc/presets.py` from the schema and the presets of the bindings.

Run it after a change of a configuration: `python aimc-py/generate.py`. A test compares.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

from aimc import _native

HERE = Path(__file__).parent / "python" / "aimc"
WIDTH = 130

#: What follows the name of a variant, so that names are unique and near AIHWKit's.
SUFFIXES = {
    "Algorithm": "",
    "Architecture": "Adc",
    "CompoundCell": "UnitCell",
    "ConverterConfig": "Converter",
    "InputRule": "Rule",
    "ProgrammedDeviceConfig": "NoiseModel",
    "Programming": "Programming",
    "PulsedDeviceConfig": "Device",
}
ROOTS = {
    "TrainingTileConfig": "tile",
    "HardwareAwareTileConfig": "hardware_aware",
    "InferenceTileConfig": "inference",
    "CalibrationConfig": "calibration",
    "EvaluationConfig": "evaluation",
    "IoConfig": "io",
    "UpdateConfig": "update",
}


def shortest(value: float) -> str:
    """The shortest number that is the same in single precision."""
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return repr(float(text))
    return repr(value)


def plain_words(text: str) -> str:
    """A description without the marks of Rust's documentation."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    text = re.sub(r"\[`?([^\]`]*)`?\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\[`([^\]]*?)`\]", r"`\1`", text)
    text = re.sub(r", see the module(?=[.,; ])", "", text)
    return re.sub(r"\s+", " ", text).strip()


class Schema:
    def __init__(self) -> None:
        self.definitions: dict[str, Any] = json.loads(_native.schema())["$defs"]
        #: name of the class: (description, tag, properties, required, kind)
        self.classes: dict[str, tuple[str, tuple[str, str] | None, dict[str, Any], list[str], str]] = {}
        #: name of the alias: the names or literals it stands for
        self.aliases: dict[str, tuple[str, list[str]]] = {}
        for name, node in self.definitions.items():
            self.define(name, node)

    def define(self, name: str, node: dict[str, Any]) -> None:
        words = plain_words(node.get("description", ""))
        choices = node.get("oneOf") or node.get("anyOf")
        if choices is None:
            self.classes[name] = (words, None, node["properties"], node.get("required", []), ROOTS.get(name, ""))
            return
        kinds = []
        for choice in choices:
            if "$ref" in choice and "properties" not in choice:
                kinds.append(self.ref(choice))
            elif choice.get("type") == "string":
                kinds += [f'Literal["{value}"]' for value in choice.get("enum", [choice.get("const")])]
            else:
                kinds.append(self.variant(name, choice))
        self.aliases[name] = (words, kinds)

    def variant(self, enum: str, node: dict[str, Any]) -> str:
        properties = dict(node["properties"])
        if "$ref" in node:
            inner = self.definitions[self.ref(node)]
            properties |= inner["properties"]
        tags = [(key, value["const"]) for key, value in properties.items() if "const" in value]
        tag = tags[0] if tags else None
        name = tag[1] if tag else next(iter(properties))
        name = name if tag is None or enum != "Algorithm" else name
        name += SUFFIXES.get(enum, enum)
        if tag:
            del properties[tag[0]]
        for key, entry in properties.items():
            if entry.get("type") == "object":
                inline = f"{name}Fields"
                self.define(inline, entry)
                properties[key] = {"$ref": f"#/$defs/{inline}"}
        required = [key for key in node.get("required", []) if key in properties]
        kind = "cell" if enum in ("PulsedDeviceConfig", "CompoundCell") else ""
        assert name not in self.classes, name
        self.classes[name] = (plain_words(node.get("description", "")), tag, properties, required, kind)
        return name

    @staticmethod
    def ref(node: dict[str, Any]) -> str:
        return node["$ref"].rsplit("/", 1)[1]

    def type_of(self, node: dict[str, Any]) -> str:
        if "$ref" in node:
            return self.ref(node)
        if "anyOf" in node:
            return " | ".join(self.type_of(choice) for choice in node["anyOf"])
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        names = {"number": "float", "integer": "int", "boolean": "bool", "string": "str", "null": "None"}
        return " | ".join(f"list[{self.type_of(node['items'])}]" if k == "array" else names[k] for k in kinds)

    def members(self, kind: str) -> list[str]:
        """The classes that an alias stands for."""
        if kind in self.classes:
            return [kind]
        return [member for part in self.aliases.get(kind, ("", []))[1] for member in self.members(part)]

    def value(self, node: dict[str, Any], value: Any) -> str:
        """An expression for a value of this schema."""
        if isinstance(value, dict):
            name = self.class_of(node, value)
            _, tag, properties, _, _ = self.classes[name]
            parts = [
                f"{key}={self.value(properties[key], entry)}"
                for key, entry in value.items()
                if (tag is None or key != tag[0]) and self.differs(properties[key], entry)
            ]
            return f"{name}({', '.join(parts)})"
        if isinstance(value, list):
            items = node.get("items", {})
            return f"[{', '.join(self.value(items, entry) for entry in value)}]"
        if isinstance(value, float):
            return shortest(value)
        return repr(value) if not isinstance(value, str) else json.dumps(value)

    def differs(self, node: dict[str, Any], value: Any) -> bool:
        return "default" not in node or self.value(node, node["default"]) != self.value(node, value)

    def class_of(self, node: dict[str, Any], value: dict[str, Any]) -> str:
        for name in (m for part in self.type_of(node).split(" | ") for m in self.members(part)):
            _, tag, properties, _, _ = self.classes[name]
            if value.get(tag[0]) == tag[1] if tag else set(value) <= set(properties):
                return name
        raise ValueError(f"no class for {value}")

    def field(self, name: str, node: dict[str, Any], required: list[str]) -> list[str]:
        lines = wrapped(plain_words(node.get("description", "")), "    #: ")
        if name in required or "default" not in node:
            return [*lines, f"    {name}: {self.type_of(node)}" + ("" if name in required else " | None = None")]
        default = self.value(node, node["default"])
        if isinstance(node["default"], dict):
            default = f"dataclasses.field(default_factory=lambda: {default})"
        elif isinstance(node["default"], list):
            factory = f"lambda: {default}" if node["default"] else "list"
            default = f"dataclasses.field(default_factory={factory})"
        return [*lines, f"    {name}: {self.type_of(node)} = {default}"]


def wrapped(text: str, lead: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(lead) + len(line) + len(word) + 1 > WIDTH:
            lines.append(lead + line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, lead + line] if line else lines


def docstring(text: str, indent: str = "    ") -> list[str]:
    lines = wrapped(text, indent)
    if not lines:
        return [f'{indent}"""Without fields of its own."""']
    lines[0] = f'{indent}"""{lines[0].strip()}'
    if len(lines) == 1:
        return [f'{lines[0]}"""']
    return [*lines, f'{indent}"""']


def config_file(schema: Schema) -> str:
    out = [
        '"""All records of the configurations, generated from their schema by generate.py; do not edit.',
        "",
        "Fields, defaults and meaning are those of the TOML files. A record is checked when a tile is built, or by `validate`.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "import dataclasses",
        "from typing import ClassVar, Literal, Union",
        "",
        "from ._record import Record",
        "",
    ]
    for name in sorted(schema.classes):
        words, tag, properties, required, kind = schema.classes[name]
        out += ["", "@dataclasses.dataclass(kw_only=True, slots=True)", f"class {name}(Record):", *docstring(words)]
        if kind:
            out += ["", f'    KIND: ClassVar[str] = "{kind}"']
        if tag:
            out += ["", f'    TAG: ClassVar[tuple[str, str] | None] = ("{tag[0]}", "{tag[1]}")']
        for key, node in properties.items():
            out += ["", *schema.field(key, node, required)]
        out += [""]
    done: set[str] = set(schema.classes)
    pending = dict(schema.aliases)
    while pending:
        for name, (words, kinds) in list(pending.items()):
            if all(kind in done or kind.startswith("Literal") for kind in kinds):
                out += ["", *wrapped(words, "#: "), f"{name} = Union["]
                out += [f"    {kind}," for kind in kinds] + ["]"]
                done.add(name)
                del pending[name]
    return "\n".join(out) + "\n"


def preset_kinds() -> list[tuple[str, str, str]]:
    """Name in Python, name of the preset, type of the record."""
    found = []
    for group, name in _native.preset_names():
        if group == "device":
            found.append((f"{name}PresetDevice", name, "PulsedDeviceConfig"))
        elif group == "hardware_aware":
            found.append((name, name, "HardwareAwareTileConfig"))
        elif name.endswith("IO"):
            found.append((f"{name}Parameters", name, "IoConfig"))
        elif name.endswith("Update"):
            found.append((f"{name}Parameters", name, "UpdateConfig"))
        elif name.endswith("UnitCell"):
            found.append((name, name, "CompoundCell"))
        else:
            found.append((name, name, "TrainingTileConfig"))
    return sorted(found)


def presets_file() -> str:
    kinds = preset_kinds()
    out = [
        '"""Presets by AIHWKit\'s names, generated by generate.py; do not edit.',
        "",
        "Their sources are stated in the files of `presets/` of the crates. Changes are put over a preset table by table:",
        "`EcRamPreset(forward={\"out_noise\": 0.1})`.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Any",
        "",
        "from ._record import preset",
        "from .config import " + ", ".join(sorted({kind for _, _, kind in kinds})),
    ]
    for python, name, kind in kinds:
        out += ["", "", f"def {python}(**changes: Any) -> {kind}:", f'    """The preset `{name}`."""']
        out += [f'    return preset({kind}, "{name}", changes)']
    return "\n".join(out) + "\n"


def files() -> dict[Path, str]:
    """What the generated files should hold."""
    return {HERE / "config.py": config_file(Schema()), HERE / "presets.py": presets_file()}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
