"""Recurrent layers: two matrices per direction on tiles, gates in digital arithmetic.

The input matrix multiplies a whole sequence at once. The vectors of a recurrent layer are numbered step by step, so that their draws
depend on how many sequences a batch has.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ._tile import TileConfig, random_seed
from .linear import AnalogLinear

State = tuple[Tensor, ...]


class _AnalogCell(torch.nn.Module):
    """One step: gates from the input, `ih`, and from the state, `hh`."""

    gates: int
    states: int = 1
    digital: type[torch.nn.Module]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        config: TileConfig,
        seed: int | None = None,
        name: str = "",
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.has_bias = input_size, hidden_size, bias
        seed = random_seed() if seed is None else seed
        rows = self.gates * hidden_size
        self.ih = AnalogLinear(input_size, rows, bias, config=config, seed=seed, name=f"{name}.ih")
        self.hh = AnalogLinear(hidden_size, rows, bias, config=config, seed=seed, name=f"{name}.hh")
        limit = 1.0 / math.sqrt(hidden_size)
        for layer in (self.ih, self.hh):
            shape = layer.weight_shape()
            start = torch.empty(shape[0]).uniform_(-limit, limit) if bias else None
            layer.set_weights(torch.empty(shape).uniform_(-limit, limit), start)

    def _options(self) -> dict[str, Any]:
        """What PyTorch's cell is told beside its sizes."""
        return {}

    @classmethod
    def from_digital(cls, cell: Any, config: TileConfig, seed: int | None = None, name: str = "") -> Any:
        """The same cell on tiles, which take its weights as far as their devices allow."""
        options = {"nonlinearity": cell.nonlinearity} if hasattr(cell, "nonlinearity") else {}
        analog = cls(
            cell.input_size, cell.hidden_size, cell.bias, **options, config=config, seed=seed, name=name
        )
        analog.take(cell, "")
        return analog.train(cell.training)

    def take(self, module: torch.nn.Module, suffix: str) -> None:
        """Takes the weights of PyTorch's module whose names end so."""
        for layer, side in ((self.ih, "ih"), (self.hh, "hh")):
            bias = getattr(module, f"bias_{side}{suffix}") if self.has_bias else None
            layer.set_weights(getattr(module, f"weight_{side}{suffix}"), bias)

    def give(self, module: torch.nn.Module, suffix: str, products_per_input: int | None = None) -> None:
        """The opposite of `take`."""
        for layer, side in ((self.ih, "ih"), (self.hh, "hh")):
            ideal = products_per_input is None
            weights, bias = layer.get_weights() if ideal else layer.estimate_weights(products_per_input)
            with torch.no_grad():
                getattr(module, f"weight_{side}{suffix}").copy_(weights)
                if bias is not None:
                    getattr(module, f"bias_{side}{suffix}").copy_(bias)

    def to_digital(self, products_per_input: int | None = None) -> torch.nn.Module:
        """PyTorch's own cell with the same weights, ideal or estimated from products."""
        cell = self.digital(self.input_size, self.hidden_size, self.has_bias, **self._options())
        self.give(cell, "", products_per_input)
        return cell.train(self.training)

    def step(self, gates: Tensor, state: State) -> State:
        """The state after a step whose input gives `gates`."""
        raise NotImplementedError

    def zeros(self, like: Tensor) -> State:
        """The state before a sequence; `like` is [batch, …]."""
        return tuple(like.new_zeros(like.shape[0], self.hidden_size) for _ in range(self.states))

    def forward(self, x: Tensor, hx: Any = None) -> Any:
        if x.dim() == 1:
            hx = None if hx is None else tuple(h.unsqueeze(0) for h in (hx if self.states > 1 else (hx,)))
            out = self.step(self.ih(x.unsqueeze(0)), self.zeros(x.unsqueeze(0)) if hx is None else hx)
            return out[0].squeeze(0) if self.states == 1 else tuple(h.squeeze(0) for h in out)
        state = self.zeros(x) if hx is None else (tuple(hx) if self.states > 1 else (hx,))
        out = self.step(self.ih(x), state)
        return out[0] if self.states == 1 else out


class AnalogRNNCell(_AnalogCell):
    """As `torch.nn.RNNCell`, on tiles: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu."""

    gates, digital = 1, torch.nn.RNNCell

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", **place: Any
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity = {nonlinearity!r}: must be tanh or relu")
        super().__init__(input_size, hidden_size, bias, **place)
        self.nonlinearity = nonlinearity

    def _options(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}

    def step(self, gates: Tensor, state: State) -> State:
        total = gates + self.hh(state[0])
        return (torch.tanh(total) if self.nonlinearity == "tanh" else torch.relu(total),)


class AnalogLSTMCell(_AnalogCell):
    """As `torch.nn.LSTMCell`, on tiles: gates i, f, g, o; c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c')."""

    gates, states, digital = 4, 2, torch.nn.LSTMCell

    def step(self, gates: Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = (gates + self.hh(h)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class AnalogGRUCell(_AnalogCell):
    """As `torch.nn.GRUCell`, on tiles: n = tanh(x_n + σ(r)·h_n), h' = (1 - σ(z))·n + σ(z)·h."""

    gates, digital = 3, torch.nn.GRUCell

    def step(self, gates: Tensor, state: State) -> State:
        (h,) = state
        r, z, n = gates.chunk(3, dim=1)
        hr, hz, hn = self.hh(h).chunk(3, dim=1)
        r, z = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
        n = torch.tanh(n + r * hn)
        return ((1 - z) * n + z * h,)


class _AnalogRecurrent(torch.nn.Module):
    """Cells in layers and directions, as PyTorch's recurrent layers."""

    cell: type[_AnalogCell]
    digital: type[torch.nn.Module]

    def __init__(  # noqa: PLR0913 (PyTorch's signature)
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        config: TileConfig,
        seed: int | None = None,
        name: str = "",
        **options: Any,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.has_bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.options = bidirectional, options
        seed = random_seed() if seed is None else seed
        cells = []
        for layer in range(num_layers):
            size = input_size if layer == 0 else hidden_size * self.directions
            for suffix in self._suffixes(layer):
                place = {"config": config, "seed": seed, "name": f"{name}.{suffix}"}
                cells.append(self.cell(size, hidden_size, bias, **options, **place))
        self.cells = torch.nn.ModuleList(cells)

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"][: self.directions]

    @classmethod
    def from_digital(cls, module: Any, config: TileConfig, seed: int | None = None, name: str = "") -> Any:
        """The same layer on tiles, which take its weights as far as their devices allow."""
        if getattr(module, "proj_size", 0):
            raise ValueError(f"proj_size = {module.proj_size}: projections are not supported, must be 0")
        options = {"nonlinearity": module.nonlinearity} if cls.cell is AnalogRNNCell else {}
        analog = cls(
            module.input_size,
            module.hidden_size,
            module.num_layers,
            module.bias,
            module.batch_first,
            module.dropout,
            module.bidirectional,
            config=config,
            seed=seed,
            name=name,
            **options,
        )
        for suffix, cell in analog._named_cells():
            cell.take(module, suffix)
        return analog.train(module.training)

    def _named_cells(self) -> list[tuple[str, _AnalogCell]]:
        suffixes = [suffix for layer in range(self.num_layers) for suffix in self._suffixes(layer)]
        return list(zip(suffixes, self.cells))  # type: ignore[arg-type]

    def to_digital(self, products_per_input: int | None = None) -> torch.nn.Module:
        """PyTorch's own layer with the same weights, ideal or estimated from products."""
        digital = self.digital(
            self.input_size,
            self.hidden_size,
            self.num_layers,
            bias=self.has_bias,
            batch_first=self.batch_first,
            dropout=self.dropout,
            bidirectional=self.bidirectional,
            **self.options,
        )
        for suffix, cell in self._named_cells():
            cell.give(digital, suffix, products_per_input)
        return digital.train(self.training)

    def _run(self, cell: _AnalogCell, x: Tensor, state: State, reverse: bool) -> tuple[Tensor, State]:
        """All steps of one direction; `x` is [steps, batch, features]."""
        gates = cell.ih(x)
        outputs: list[Tensor] = [x.new_empty(0)] * x.shape[0]
        order = range(x.shape[0])
        for t in reversed(order) if reverse else order:
            state = cell.step(gates[t], state)
            outputs[t] = state[0]
        return torch.stack(outputs), state

    def forward(self, x: Tensor, hx: Any = None) -> tuple[Tensor, Any]:
        if isinstance(x, PackedSequence):
            raise TypeError("packed sequences are not supported: give sequences of equal length")
        if x.dim() == 2:
            given = hx if hx is None or self.cell.states == 1 else tuple(h.unsqueeze(1) for h in hx)
            given = given.unsqueeze(1) if isinstance(given, Tensor) else given
            out, last = self.forward(x.unsqueeze(0 if self.batch_first else 1), given)
            last = last.squeeze(1) if isinstance(last, Tensor) else tuple(h.squeeze(1) for h in last)
            return out.squeeze(0 if self.batch_first else 1), last
        if x.dim() != 3 or x.shape[2] != self.input_size or 0 in x.shape[:2]:
            raise ValueError(f"x has the shape {tuple(x.shape)}, the layer needs sequences of {self.input_size} features")
        x = x.transpose(0, 1) if self.batch_first else x
        first = self._first_states(x, hx)
        last: list[State] = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.directions):
                number = layer * self.directions + direction
                cell: Any = self.cells[number]
                state = cell.zeros(x[0]) if first is None else tuple(h[number] for h in first)
                output, state = self._run(cell, x, state, reverse=direction == 1)
                outputs.append(output)
                last.append(state)
            x = outputs[0] if self.directions == 1 else torch.cat(outputs, dim=2)
            if layer + 1 < self.num_layers:
                x = torch.nn.functional.dropout(x, self.dropout, self.training)
        states = tuple(torch.stack(h) for h in zip(*last))
        out = x.transpose(0, 1) if self.batch_first else x
        return out, states if self.cell.states > 1 else states[0]

    def _first_states(self, x: Tensor, hx: Any) -> State | None:
        if hx is None:
            return None
        states: State = tuple(hx) if self.cell.states > 1 else (hx,)
        shape = (len(self.cells), x.shape[1], self.hidden_size)
        if any(tuple(h.shape) != shape for h in states):
            raise ValueError(f"the first state has the shape {tuple(states[0].shape)}, the layer needs {shape}")
        return states


class AnalogRNN(_AnalogRecurrent):
    """As `torch.nn.RNN`, on tiles."""

    cell, digital = AnalogRNNCell, torch.nn.RNN


class AnalogLSTM(_AnalogRecurrent):
    """As `torch.nn.LSTM` without projections, on tiles."""

    cell, digital = AnalogLSTMCell, torch.nn.LSTM


class AnalogGRU(_AnalogRecurrent):
    """As `torch.nn.GRU`, on tiles."""

    cell, digital = AnalogGRUCell, torch.nn.GRU
