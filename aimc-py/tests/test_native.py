"""The bindings alone, without PyTorch: NumPy arrays in and out."""

from __future__ import annotations

import copy
import pickle
import threading
import time

import numpy as np
import pytest

from aimc import _native, config, ideal_tile, presets

Array = np.ndarray


def _tile(record: config.TrainingTileConfig, shape: tuple[int, int] = (3, 4), seed: int = 1) -> _native.Tile:
    return _native.Tile(record.KIND, record.to_json(), *shape, False, seed, "tile")


def _normal(*shape: int) -> Array:
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def test_a_perfect_tile_is_a_matrix() -> None:
    tile, w = _tile(ideal_tile()), _normal(3, 4)
    x, d = _normal(5, 4), _normal(5, 3)
    tile.set_weights(w)
    y, first = tile.forward(x, True)
    np.testing.assert_allclose(y, x @ w.T, atol=1e-5)
    np.testing.assert_allclose(tile.backward(d, first, True), d @ w, atol=1e-5)
    assert tile.update(x, d, 0.1).size == 0, "nothing of an analog tile is left to an optimizer"
    np.testing.assert_allclose(tile.weights(), w - 0.1 * d.T @ x, atol=1e-5)


def test_vectors_are_numbered_in_training_and_evaluation() -> None:
    tile, x = _tile(presets.EcRamPreset()), _normal(5, 4)
    assert [tile.forward(x, True)[1], tile.forward(x, False)[1], tile.forward(x[:2], True)[1]] == [0, 0, 5]
    assert tile.forward(x, False)[1] == 5


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda tile: pickle.loads(pickle.dumps(tile))])
@pytest.mark.parametrize("record", [presets.EcRamPreset(), presets.AGADReRamSBPreset(), presets.PCMPreset()])
def test_a_copy_goes_on_bit_for_bit(record: config.TrainingTileConfig, copied: object) -> None:
    def go_on(tile: _native.Tile) -> list[Array]:
        for _ in range(3):
            tile.update(x, d, 0.1)
            tile.end_of_step()
        return [tile.forward(x, True)[0], tile.weights()]

    tile, x, d = _tile(record), _normal(5, 4), 0.1 * _normal(5, 3)
    go_on(tile)
    twin = copied(tile)  # type: ignore[operator]
    assert twin.state() == tile.state()
    for mine, theirs in zip(go_on(tile), go_on(twin)):
        np.testing.assert_array_equal(mine, theirs)


def test_digital_numbers_are_left_to_the_caller() -> None:
    record = presets.FloatingPointPreset()
    tile = _native.Tile(record.KIND, record.to_json(), 2, 3, True, 1, "")
    x, d = _normal(4, 3), _normal(4, 2)
    gradient = tile.update(x, d, 0.5)
    np.testing.assert_allclose(gradient.reshape(2, 3), d.T @ x, atol=1e-5)
    np.testing.assert_array_equal(tile.digital(), np.zeros(6, dtype=np.float32))
    tile.set_digital(np.arange(6, dtype=np.float32))
    np.testing.assert_array_equal(tile.weights(), np.arange(6, dtype=np.float32).reshape(2, 3))


def test_a_chip_holds_the_weights_and_the_bias() -> None:
    record = config.InferenceTileConfig(
        device=config.PcmLikeNoiseModel(prog_noise_scale=0, read_noise_scale=0, drift_scale=0),
        forward=config.IoConfig(is_perfect=True),
    )
    w, b, x = _normal(3, 4), _normal(3), _normal(5, 4)
    chip = _native.Programmed(w, b, "[]", record.to_json(), 1, "layer").at(0.0)
    np.testing.assert_allclose(chip.forward(x), x @ w.T + b, atol=1e-4)
    assert chip.next == 5
    np.testing.assert_allclose(chip.weights(), w, atol=1e-5)


def test_windows_are_those_of_a_convolution() -> None:
    """By hand: an image of 4 points with a padding of 1, windows of 3 points in steps of 2."""
    windows = _native.Windows([4], [3], [2], [1], [1], 1)
    assert windows.positions == [2]
    image = np.array([[1, 2, 3, 4]], dtype=np.float32)
    (vectors,) = windows.unfold(image)
    np.testing.assert_array_equal(vectors, [[0, 1, 2], [2, 3, 4]])
    np.testing.assert_array_equal(windows.fold([vectors], 1), [[1, 4, 3, 4]])
    two = np.array([[1, 2, 3, 4]], dtype=np.float32)
    (points,) = windows.to_points(two)
    np.testing.assert_array_equal(points, [[1, 3], [2, 4]])
    np.testing.assert_array_equal(windows.images([points], 1), two)


def test_other_python_threads_go_on_meanwhile() -> None:
    record = presets.EcRamPreset(periphery={"mapping": {"max_input_size": 0, "max_output_size": 0}})
    tile, x = _tile(record, (512, 512)), _normal(4000, 512)
    work = threading.Thread(target=lambda: [tile.forward(x, True) for _ in range(2)])
    start, naps = time.perf_counter(), 0
    work.start()
    while work.is_alive():
        time.sleep(0.001)
        naps += 1
    lasted = time.perf_counter() - start
    # A product that kept the interpreter would allow a nap before, between and after the products alone.
    assert naps > 10, f"{naps} naps in {lasted} s"
