"""A tile as a PyTorch module: the only place where tensors meet the bindings."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.weak import WeakTensorKeyDictionary

from .. import _native
from ..config import HardwareAwareTileConfig, InferenceTileConfig, TrainingTileConfig

TileConfig = TrainingTileConfig | HardwareAwareTileConfig

# The tile behind the parameter that optimizers see.
_TILES: WeakTensorKeyDictionary = WeakTensorKeyDictionary()


def tile_of(parameter: Tensor) -> AnalogTile | None:
    """The tile that is behind a parameter, if there is one."""
    reference = _TILES.get(parameter)
    return None if reference is None else reference()


def analog_tiles(model: torch.nn.Module) -> Iterator[tuple[str, AnalogTile]]:
    """All tiles of a model with their names, in the order of its modules."""
    for name, module in model.named_modules():
        if isinstance(module, AnalogTile):
            yield name, module


def check(what: str, tensor: Tensor) -> Tensor:
    """The tensor, in memory that tiles read without a copy; refuses other devices and types."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{what} must be a tensor, not {type(tensor).__name__}")
    if tensor.device.type != "cpu":
        raise TypeError(f"{what} lies on {tensor.device}, tiles compute on the CPU: use .cpu()")
    if tensor.dtype != torch.float32:
        raise TypeError(f"{what} is {tensor.dtype}, tiles compute in torch.float32: use .float()")
    if tensor.layout != torch.strided:
        raise TypeError(f"{what} is {tensor.layout}, tiles take dense tensors: use .to_dense()")
    return tensor.detach().contiguous()


def check_config(config: TileConfig) -> None:
    """Refuses what is no record of a tile in training."""
    if not isinstance(config, TileConfig):
        kinds = "TrainingTileConfig or HardwareAwareTileConfig"
        raise TypeError(f"config must be a {kinds}, not {type(config).__name__}")


def random_seed() -> int:
    """A seed from PyTorch's generator, so that `torch.manual_seed` decides."""
    return int(torch.randint(2**62, ()))


class _Product(torch.autograd.Function):
    """y = x Wᵀ on the tile; the backward pass keeps what the update needs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, context: Tensor, tile: AnalogTile) -> Tensor:
        x = check("x", x)
        y, first = tile.native.forward(x.numpy(), tile.training)
        ctx.save_for_backward(x)
        ctx.tile, ctx.first, ctx.training = tile, first, tile.training
        return torch.from_numpy(y)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d: Tensor) -> tuple[Tensor | None, None, None]:
        (x,) = ctx.saved_tensors
        d = check("the gradient", d)
        z = None
        if ctx.needs_input_grad[0]:
            z = torch.from_numpy(ctx.tile.native.backward(d.numpy(), ctx.first, ctx.training))
        if ctx.needs_input_grad[1]:
            ctx.tile.pending.append((x, d))
        return z, None, None


class _ChipProduct(torch.autograd.Function):
    """y = x Wᵀ + b on a chip, which cannot be read backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, tile: AnalogTile) -> Tensor:
        assert tile.chip is not None
        return torch.from_numpy(tile.chip.forward(check("x", x).numpy()))

    @staticmethod
    def backward(ctx: Any, d: Tensor) -> tuple[None, None]:
        raise RuntimeError("a programmed layer can only be read: call model.train() to train its tiles")


class _Rounded(torch.autograd.Function):
    """The bias in the precision of the circuits around the tile; errors pass straight through."""

    @staticmethod
    def forward(ctx: Any, bias: Tensor, tile: AnalogTile) -> Tensor:
        return torch.from_numpy(tile.native.round_bias(check("bias", bias).numpy()))

    @staticmethod
    def backward(ctx: Any, d: Tensor) -> tuple[Tensor, None]:
        return d, None


class AnalogTile(torch.nn.Module):
    """A matrix of `outputs` x `inputs` on analog tiles.

    Draws are addressed by `seed` and `name` and by numbers that the tile counts itself. `context` stands for the tile among the
    parameters of a model; it is empty but for the moment in which an optimizer moves numbers that lie in digital memory.
    """

    context: torch.nn.Parameter

    def __init__(
        self, outputs: int, inputs: int, bias: bool, config: TileConfig, seed: int | None = None, name: str = ""
    ) -> None:
        super().__init__()
        check_config(config)
        seed = random_seed() if seed is None else seed
        self.native = _native.Tile(config.KIND, config.to_json(), outputs, inputs, bias, seed, name)
        mapping = config.periphery.mapping
        self.has_analog_bias = bias and not mapping.digital_bias
        self._rounds_bias = config.periphery.quantization.n_bits > 0
        self.context = torch.nn.Parameter(torch.empty(0))
        self.pending: list[tuple[Tensor, Tensor]] = []
        self.observe: Callable[[Tensor], None] | None = None
        self.unprogram()
        self._link()

    def _link(self) -> None:
        _TILES[self.context] = weakref.ref(self)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> AnalogTile:
        super()._apply(fn, recurse)
        self._link()
        return self

    # Products.

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """y = x Wᵀ + b for vectors [batch, inputs]; on the chip when one was programmed and the module is in evaluation."""
        if x.dim() != 2 or x.shape[1] != self.native.shape[1]:
            raise ValueError(f"x has the shape {tuple(x.shape)}, the tile needs [batch, {self.native.shape[1]}]")
        if self.observe is not None:
            self.observe(check("x", x))
            y = torch.nn.functional.linear(x, self.weights())
            bias = self.bias_or(bias)
            return y if bias is None else y + bias
        if self.chip is not None and not self.training:
            return _ChipProduct.apply(x, self)
        y = _Product.apply(x, self.context, self)
        if bias is None:
            return y
        return y + (_Rounded.apply(bias, self) if self._rounds_bias else bias)

    # Steps, called by optimizers.

    def begin_step(self, lr: float) -> bool:
        """Lets analog weights move by their own update and shows digital numbers with their gradient in `context`; false without
        a gradient."""
        if not self.pending:
            return False
        xs, ds = zip(*self.pending)
        self.pending = []
        x, d = (xs[0], ds[0]) if len(xs) == 1 else (torch.cat(xs), torch.cat(ds))
        gradient = self.native.update(x.numpy(), d.numpy(), lr)
        if gradient.size:
            self.context.data = torch.from_numpy(self.native.digital())
            self.context.grad = torch.from_numpy(gradient)
        return True

    def end_step(self) -> None:
        """Takes the digital numbers back and does what happens to devices once per step."""
        if self.context.numel():
            try:
                self.native.set_digital(self.context.data.numpy())
            finally:
                self.context.grad = None
                self.context.data = torch.empty(0)
        self.native.end_of_step()

    # Weights.

    def weights(self) -> Tensor:
        """The weights [outputs, inputs] as no hardware can tell them; a copy."""
        return torch.from_numpy(self.native.weights())

    def set_weights(self, weights: Tensor) -> None:
        """Writes weights as far as the devices allow."""
        self.native.set_weights(check("weights", weights).numpy())

    def analog_bias(self) -> Tensor | None:
        """The bias that lies on the tile, if it does."""
        bias = self.native.bias() if self.has_analog_bias else None
        return None if bias is None else torch.from_numpy(bias)

    def bias_or(self, digital: Tensor | None) -> Tensor | None:
        """The bias that lies on the tile, else the digital one."""
        analog = self.analog_bias()
        return digital if analog is None else analog

    def set_analog_bias(self, bias: Tensor) -> None:
        """Writes the bias of a tile that has one."""
        self.native.set_bias(check("bias", bias).numpy())

    # Inference.

    def program(
        self, chip: InferenceTileConfig, bias: Tensor | None, seed: int, event: int = 0, settings: str | None = None
    ) -> None:
        """Programs the weights into the devices of a chip, which is read right away."""
        bias = self.bias_or(bias)
        self._recipe = {
            "values": self.native.weights(),
            "bias": None if bias is None else check("bias", bias).numpy().copy(),
            "settings": self.native.settings() if settings is None else settings,
            "config": chip.to_json(),
            "seed": seed,
            "name": self.native.name,
            "event": event,
        }
        self._programmed = _native.Programmed(**self._recipe)
        self.drift(0.0)

    def drift(self, t_seconds: float, read: int = 0) -> None:
        """Lets the chip be what it is so many seconds after programming."""
        if self._programmed is None:
            raise ValueError("the layer was not programmed: call program_analog_weights first")
        self.chip = self._programmed.at(t_seconds, read)
        self._time = (t_seconds, read)

    def count(self) -> int:
        """Tiles that the matrix is split over."""
        return max(1, len(json.loads(self.native.settings())))

    def unprogram(self) -> None:
        """Takes the chip away; evaluation uses the tile in training again."""
        self._recipe: dict[str, Any] | None = None
        self._programmed: _native.Programmed | None = None
        self.chip: _native.Chip | None = None
        self._time = (0.0, 0)

    # State.

    def get_extra_state(self) -> Tensor:
        """Everything the tile needs to go on, as bytes."""
        return torch.frombuffer(bytearray(self.native.state()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Takes over a state of a tile of the same kind, configuration and shape."""
        tile = _native.Tile.from_state(bytes(state.numpy()))
        for what in ("kind", "shape", "config"):
            stored, own = getattr(tile, what), getattr(self.native, what)
            same = json.loads(stored) == json.loads(own) if what == "config" else stored == own
            if not same:
                raise ValueError(f"the stored {what} of tile {self.native.name!r} is {stored}, the model has {own}")
        self.native = tile
        self.pending = []

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        destination[prefix + "_extra_state"] = self.get_extra_state()

    def _load_from_state_dict(  # noqa: PLR0913 (PyTorch's signature)
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        key = prefix + "_extra_state"
        if key not in state_dict:
            missing_keys.append(key)
            return
        try:
            self.set_extra_state(state_dict[key])
        except ValueError as error:
            error_msgs.append(f"{key}: {error}")

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        next_vector = None if self.chip is None else self.chip.next
        state.update(_programmed=None, chip=None, observe=None, pending=[], _next=next_vector)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        next_vector = state.pop("_next")
        super().__setstate__(state)
        self._link()
        if self._recipe is not None:
            time = self._time
            self._programmed = _native.Programmed(**self._recipe)
            self.drift(*time)
            assert self.chip is not None
            self.chip.next = next_vector

    def extra_repr(self) -> str:
        outputs, inputs = self.native.shape
        return f"outputs={outputs}, inputs={inputs}, {self.native.kind}, seed={self.native.seed}"
