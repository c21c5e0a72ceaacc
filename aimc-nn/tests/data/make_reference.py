"""Makes the reference files of aimc-nn/tests/network/pytorch.

    python3.11 -m venv venv && venv/bin/pip install torch==2.10.0 numpy safetensors
    venv/bin/python make_reference.py

One file per case: the state dict of a module as PyTorch exports it (single precision), and beside it, with names that
begin with "@":

    @x        input, samples first
    @y        output
    @r        gradient with respect to the output
    @dx       gradient with respect to the input
    @d.NAME   gradient with respect to parameter NAME

Outputs and gradients are computed by PyTorch in double precision from the single-precision weights and inputs, and
then rounded: they carry no rounding of PyTorch's own order of summation.
"""

import copy
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
SAMPLES = 2


class First(nn.Module):
    """The first of several outputs, batch first."""

    def __init__(self, inner, last=None):
        super().__init__()
        self.inner, self.last = inner, last

    def forward(self, x):
        states, final = self.inner(x)
        if self.last is None:
            return states
        hidden = final[0] if isinstance(final, tuple) else final
        # The final states of the directions of the last layer, side by side.
        return torch.cat(list(hidden[-self.last:]), dim=1)


class Attend(nn.Module):
    """Self-attention."""

    def __init__(self, inner, causal=False):
        super().__init__()
        self.inner, self.causal = inner, causal

    def forward(self, x):
        steps = x.shape[1]
        mask = torch.triu(torch.ones(steps, steps, dtype=torch.bool), 1) if self.causal else None
        return self.inner(x, x, x, attn_mask=mask, need_weights=False)[0]


def prepare(module):
    """Parameters and statistics away from their simple first values (0, 1), where errors could hide."""
    with torch.no_grad():
        for name, values in module.state_dict().items():
            if name.endswith("running_var"):
                values.uniform_(0.5, 2.0)
            elif values.is_floating_point() and values.dim() <= 1:
                values.add_(0.3 * torch.randn_like(values))
    return module


def save(name, module, x, state_of=None, train=True):
    state_of = state_of if state_of is not None else module
    prepare(state_of)
    tensors = {key: value.clone().contiguous() for key, value in state_of.state_dict().items()}
    double = copy.deepcopy(module).double().train(train)
    inputs = x.double() if x.is_floating_point() else x
    if x.is_floating_point():
        inputs.requires_grad_(True)
    y = double(inputs)
    r = torch.randn_like(y).float()
    y.backward(r.double())
    tensors["@x"], tensors["@y"], tensors["@r"] = x.float(), y.detach().float(), r
    if x.is_floating_point():
        tensors["@dx"] = inputs.grad.float()
    prefix = "inner." if state_of is not module else ""
    for key, parameter in double.named_parameters():
        tensors["@d." + key.removeprefix(prefix)] = parameter.grad.float()
    save_file({key: value.contiguous() for key, value in tensors.items()}, HERE / f"{name}.safetensors")


def normal(*shape):
    return torch.randn(SAMPLES, *shape)


def plain(name, module, *shape, train=True):
    save(name, module, normal(*shape), train=train)


def recurrent(name, inner, steps, features, last=None):
    save(name, First(inner, last), normal(steps, features), state_of=inner)


def attention(name, inner, steps, features, causal=False):
    save(name, Attend(inner, causal), normal(steps, features), state_of=inner)


def main():
    torch.manual_seed(6)
    plain("linear", nn.Linear(5, 4), 5)
    plain("linear_no_bias", nn.Linear(5, 4, bias=False), 5)
    plain("conv1d", nn.Conv1d(2, 4, 3, stride=2, padding=1), 2, 9)
    plain("conv1d_dilated", nn.Conv1d(3, 2, 2, dilation=3), 3, 8)
    plain("conv2d", nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0)), 2, 6, 5)
    plain("conv2d_groups", nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2), 4, 5, 6)
    plain("conv2d_depthwise", nn.Conv2d(3, 6, 2, stride=2, groups=3, bias=False), 3, 4, 6)
    plain("conv3d", nn.Conv3d(2, 4, (2, 3, 2), stride=(1, 2, 1), padding=(0, 1, 1), groups=2), 2, 3, 4, 3)
    plain("conv_transpose1d", nn.ConvTranspose1d(2, 3, 4, stride=3, dilation=2), 2, 4)
    plain("conv_transpose2d", nn.ConvTranspose2d(3, 2, (3, 2), stride=2, padding=1, output_padding=1), 3, 3, 4)
    plain("conv_transpose2d_groups", nn.ConvTranspose2d(4, 6, 3, stride=(1, 2), groups=2), 4, 3, 2)
    recurrent("rnn", nn.RNN(3, 4, batch_first=True), 5, 3)
    recurrent("rnn_bidirectional", nn.RNN(3, 4, num_layers=2, bidirectional=True, batch_first=True), 5, 3)
    recurrent("lstm", nn.LSTM(3, 4, batch_first=True), 5, 3)
    recurrent("lstm_no_bias", nn.LSTM(3, 4, batch_first=True, bias=False), 5, 3)
    recurrent("lstm_bidirectional", nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True), 5, 3)
    recurrent("lstm_last", nn.LSTM(3, 4, bidirectional=True, batch_first=True), 5, 3, last=2)
    recurrent("gru", nn.GRU(3, 4, batch_first=True), 5, 3)
    recurrent("gru_bidirectional", nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True), 5, 3)
    attention("attention", nn.MultiheadAttention(6, 2, batch_first=True), 4, 6)
    attention("attention_causal", nn.MultiheadAttention(6, 3, batch_first=True, bias=False), 4, 6, causal=True)
    plain("batch_norm1d", nn.BatchNorm1d(3), 3)
    plain("batch_norm2d", nn.BatchNorm2d(3, eps=1e-3), 3, 4, 2)
    plain("batch_norm2d_eval", nn.BatchNorm2d(3), 3, 4, 2, train=False)
    plain("layer_norm", nn.LayerNorm(5, eps=1e-3), 4, 5)
    save("embedding", nn.Embedding(7, 3), torch.randint(7, (SAMPLES, 4)))
    plain("max_pool2d", nn.MaxPool2d((3, 2), stride=(2, 2), padding=(1, 0)), 2, 5, 6)
    plain("max_pool1d", nn.MaxPool1d(2), 2, 7)
    plain("average_pool2d", nn.AvgPool2d(3, stride=2, padding=1), 2, 5, 6)
    plain("average_pool3d", nn.AvgPool3d(2), 2, 3, 4, 5)
    plain("adaptive_pool2d", nn.AdaptiveAvgPool2d((3, 2)), 2, 4, 5)
    plain("gelu_tanh", nn.GELU(approximate="tanh"), 20)
    plain("silu", nn.SiLU(), 20)
    plain("leaky_relu", nn.LeakyReLU(), 20)
    plain("sigmoid", nn.Sigmoid(), 20)
    plain("tanh", nn.Tanh(), 20)
    plain("log_softmax", nn.LogSoftmax(1), 7)
    # Whole networks, for the rules that find their modules.
    plain(
        "sequential",
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(36, 5), nn.LogSoftmax(1),
        ),
        1, 6, 6,
    )
    plain("transformer", transformer(), 4, 6)
    # Later additions, behind the others so that those keep their draws.
    plain("gelu", nn.GELU(), 20)
    plain("batch_norm2d_plain", nn.BatchNorm2d(3, affine=False), 3, 4, 2)
    plain("layer_norm_plain", nn.LayerNorm(5, elementwise_affine=False), 4, 5)


def transformer():
    """An encoder layer with its norm first, dropout off."""
    return nn.TransformerEncoderLayer(
        6, 2, dim_feedforward=8, dropout=0.0, batch_first=True, norm_first=True,
        activation=nn.GELU(approximate="tanh"),
    )


if __name__ == "__main__":
    main()
