"""Times AIHWKit on the workloads of `cargo xtask bench`, under the same names.

    python peer.py THREADS SECONDS [SUBSTRING]     prints {case: median seconds of a call} and the versions as JSON
    python peer.py epoch FOLDER                    trains one epoch on the digits that FOLDER holds, as a whole process

Needs Python 3.11 with aihwkit==1.1.0, torch==2.10.0 and torchvision==0.25.0.
"""

import json
import pathlib
import statistics
import sys
import time

import torch
from aihwkit.simulator import presets
from aihwkit.simulator.configs import InferenceRPUConfig, SingleRPUConfig, WeightModifierType
from aihwkit.simulator.configs import devices

RATE = 0.01


def median_time(work, seconds):
    work(), work()
    times, begin = [], time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - begin < seconds and len(times) < 2000):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def uniform(size, *shape):
    return size * (2 * torch.rand(*shape) - 1)


def tile(config, outputs, inputs):
    made = config.tile_class(outputs, inputs, config)
    made.set_weights(uniform(0.3, outputs, inputs))
    made.set_learning_rate(RATE)
    return made


def updates():
    return {
        "constant": SingleRPUConfig(device=devices.ConstantStepDevice()),
        "linear": SingleRPUConfig(device=devices.LinearStepDevice()),
        "soft": SingleRPUConfig(device=devices.SoftBoundsDevice()),
        "exp_reram_es": presets.ReRamESPreset(),
        "pcm_pair": presets.PCMPreset(),
        "tt_sb": presets.TikiTakaReRamSBPreset(),
        "ttv2_es": presets.TTv2ReRamESPreset(),
        "cttv2_ecram": presets.ChoppedTTv2EcRamPreset(),
        "agad_ecram": presets.AGADEcRamPreset(),
        "mp_ecram": presets.MixedPrecisionEcRamPreset(),
    }


def cases():
    """Names, and functions that prepare the work."""
    plain = SingleRPUConfig(device=devices.ConstantStepDevice())
    for outputs, inputs in ((512, 512), (256, 784)):
        for batch in (1, 128):
            x, d = uniform(1.0, batch, inputs), uniform(0.1, batch, outputs)
            size = f"{outputs}x{inputs}/b{batch}"

            def product(direction, values, o=outputs, i=inputs):
                made = tile(plain, o, i)
                return lambda: getattr(made, direction)(values)

            def update(config, x=x, d=d, o=outputs, i=inputs):
                made = tile(config, o, i)
                return lambda: made.update(x, d)

            def matmul(x=x, o=outputs, i=inputs):
                weights = uniform(0.3, o, i)
                return lambda: x @ weights.T

            yield f"forward/{size}", lambda p=product, v=x: p("forward", v)
            yield f"backward/{size}", lambda p=product, v=d: p("backward", v)
            if inputs == 512:
                for name, config in updates().items():
                    yield f"update/{name}/{size}", lambda u=update, c=config: u(c)
                yield f"hwa_step/{size}", lambda v=(x, d): hardware_aware(*v)
                yield f"drifted_forward/{size}", lambda v=x: drifted(v)
            yield f"torch_matmul/{size}", matmul
    yield "program/1024x1024", lambda: inference("program")
    yield "drift/1024x1024", lambda: inference("drift")
    yield "randn/1e6", lambda: lambda: torch.randn(1_000_000)


def hardware_aware(x, d):
    """A step of hardware-aware training; the rate is so small that the weights stay where they are."""
    config = InferenceRPUConfig()
    config.modifier.type = WeightModifierType.ADD_NORMAL
    config.modifier.std_dev = 0.1
    config.mapping.weight_scaling_omega = 0.6
    made = tile(config, d.shape[1], x.shape[1])
    made.set_learning_rate(1e-4 * RATE)
    made.train()

    def step():
        made.forward(x)
        made.backward(d)
        made.update(x, d)
        made.post_update_step()

    return step


def chip(outputs, inputs):
    config = InferenceRPUConfig()
    made = config.tile_class(outputs, inputs, config)
    made.set_weights(uniform(1.0, outputs, inputs))
    made.eval()
    return made


def drifted(x):
    made = chip(512, x.shape[1])
    made.program_weights()
    made.drift_weights(86400.0)
    return lambda: made.forward(x)


def inference(step):
    made = chip(1024, 1024)
    if step == "program":
        return made.program_weights
    made.program_weights()
    return lambda: made.drift_weights(86400.0)


def epoch(folder):
    """64-48-10 sigmoid network, batches of 10, devices of Gokmen & Vlasov 2016."""
    from aihwkit.nn import AnalogLinear, AnalogSequential
    from aihwkit.optim import AnalogSGD

    folder = pathlib.Path(folder)
    count, features = json.loads((folder / "shape.json").read_text())
    x = torch.frombuffer(bytearray((folder / "x.f32").read_bytes()), dtype=torch.float32).reshape(count, features)
    labels = torch.frombuffer(bytearray((folder / "labels.i64").read_bytes()), dtype=torch.int64)
    config = presets.GokmenVlasovPreset()
    network = AnalogSequential(
        AnalogLinear(features, 48, rpu_config=config), torch.nn.Sigmoid(),
        AnalogLinear(48, 10, rpu_config=config), torch.nn.LogSoftmax(1),
    )
    optimizer, loss = AnalogSGD(network.parameters(), lr=0.3), torch.nn.NLLLoss()
    optimizer.regroup_param_groups(network)
    start = time.perf_counter()
    for indices in torch.randperm(count).split(10):
        optimizer.zero_grad()
        loss(network(x[indices]), labels[indices]).backward()
        optimizer.step()
    return time.perf_counter() - start


def main():
    torch.manual_seed(1)
    if sys.argv[1] == "epoch":
        torch.set_num_threads(int(sys.argv[3]))
        print(json.dumps(epoch(sys.argv[2])))
        return
    torch.set_num_threads(int(sys.argv[1]))
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    chosen = [(name, prepare) for name, prepare in cases() if wanted in name]
    times = {name: median_time(prepare(), float(sys.argv[2])) for name, prepare in chosen}
    import aihwkit
    versions = f"AIHWKit {aihwkit.__version__}, PyTorch {torch.__version__}, Python {sys.version.split()[0]}"
    print(json.dumps({"versions": versions, "seconds": times}))


if __name__ == "__main__":
    main()
