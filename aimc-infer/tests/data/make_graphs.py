"""Makes the graphs of aimc-infer/tests/onnx.rs.

    python3.11 -m venv venv && venv/bin/pip install torch==2.10.0 numpy safetensors onnx onnxscript
    venv/bin/python make_graphs.py

For each network NAME.onnx, exported by PyTorch with its weights inside, and NAME.safetensors with the input "x" and
PyTorch's output "y", which it computed in double precision. Networks end in .dynamo.onnx if the newer exporter
(dynamo=True) wrote them, the others come from the older one.
"""

import copy
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent


class Lstm(nn.Module):
    """Two layers in both directions, and a classifier of the last step."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Recurrent(nn.Module):
    """A GRU or an RNN, and a classifier of the last step."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.head = layer, nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


class Sides(nn.Module):
    """Weights left of the data, weights with an axis of size 1, and others for every sample, which are no matrix."""

    def __init__(self):
        super().__init__()
        self.left = nn.Parameter(torch.randn(4, 5))
        self.right = nn.Parameter(torch.randn(1, 3, 6))
        self.each = nn.Parameter(torch.randn(2, 6, 2))

    def forward(self, x):
        return torch.tanh(torch.tanh(self.left @ x) @ self.right) @ self.each


class Attention(nn.Module):
    """An encoder block, written out so that both exporters see plain products."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.up, self.down = nn.Linear(8, 12), nn.Linear(12, 8)

    def heads(self, x):
        return x.reshape(x.shape[0], x.shape[1], 2, 4).transpose(1, 2)

    def forward(self, x):
        n = self.norm1(x)
        q, k, v = self.heads(self.query(n)), self.heads(self.key(n)), self.heads(self.value(n))
        weights = torch.softmax(q @ k.transpose(2, 3) / 2.0, dim=-1)
        context = (weights @ v).transpose(1, 2).reshape(x.shape)
        x = x + self.out(context)
        return x + self.down(torch.relu(self.up(self.norm2(x))))


def mlp():
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4, bias=False), nn.Tanh(), nn.Linear(4, 3))


def cnn():
    """Padding, stride, dilation, groups, and a depthwise convolution."""
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False), nn.ReLU(),
        nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(2, 0), dilation=(2, 1), groups=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(36, 5),
    )


def conv1d():
    return nn.Sequential(nn.Conv1d(2, 3, 3, stride=2), nn.ReLU(), nn.ConvTranspose1d(3, 2, 2))


def save(name, module, *shape, exporters=("torchscript",)):
    x = torch.randn(2, *shape)
    module = module.eval()
    with torch.no_grad():
        for key, values in module.state_dict().items():
            if key.endswith("running_var"):
                values.uniform_(0.5, 2.0)
        y = copy.deepcopy(module).double()(x.double()).float()
    save_file({"x": x, "y": y.contiguous()}, HERE / f"{name}.safetensors")
    for exporter in exporters:
        if exporter == "dynamo":
            program = torch.onnx.export(module, (x,), dynamo=True, verbose=False)
            graph = program.model_proto
            # Where each node came from in whose files is of no use here.
            for part in [graph.graph, *graph.graph.node, *graph.graph.value_info, *graph.functions]:
                del part.metadata_props[:]
            (HERE / f"{name}.dynamo.onnx").write_bytes(graph.SerializeToString())
        else:
            torch.onnx.export(
                module, (x,), HERE / f"{name}.onnx", dynamo=False, input_names=["x"], output_names=["y"],
                dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
            )


def main():
    torch.manual_seed(6)
    save("mlp", mlp(), 6, exporters=("torchscript", "dynamo"))
    save("cnn", cnn(), 2, 8, 8, exporters=("torchscript", "dynamo"))
    save("lstm", Lstm(), 5, 3)
    save("gru", Recurrent(nn.GRU(3, 4, batch_first=True)), 5, 3)
    save("attention", Attention(), 4, 8, exporters=("torchscript", "dynamo"))
    save("conv1d", conv1d(), 2, 9)
    save("rnn", Recurrent(nn.RNN(3, 4, batch_first=True)), 5, 3)
    save("sides", Sides(), 5, 3)


if __name__ == "__main__":
    main()
