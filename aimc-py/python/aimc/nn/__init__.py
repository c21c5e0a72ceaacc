"""Layers on tiles, as ordinary PyTorch modules."""

from ._tile import AnalogTile, analog_tiles
from .conv import AnalogConv1d, AnalogConv2d, AnalogConv3d
from .convert import ANALOG, MatrixSummary, Summary, analog_summary, convert_to_analog, convert_to_digital
from .linear import AnalogLinear
from .recurrent import AnalogGRU, AnalogGRUCell, AnalogLSTM, AnalogLSTMCell, AnalogRNN, AnalogRNNCell

__all__ = [
    "ANALOG",
    "AnalogConv1d",
    "AnalogConv2d",
    "AnalogConv3d",
    "AnalogGRU",
    "AnalogGRUCell",
    "AnalogLSTM",
    "AnalogLSTMCell",
    "AnalogLinear",
    "AnalogRNN",
    "AnalogRNNCell",
    "AnalogTile",
    "MatrixSummary",
    "Summary",
    "analog_summary",
    "analog_tiles",
    "convert_to_analog",
    "convert_to_digital",
]
