"""A tile as a matrix: product, transposed product and rank update without a layer (AIHWKit's example 23); needs NumPy only."""

import numpy as np

from aimc import presets
from aimc._native import Tile


def main() -> None:
    rng = np.random.default_rng(1)
    config = presets.EcRamPreset()
    tile = Tile(config.KIND, config.to_json(), 50, 200, False, 1, "matrix")
    w = rng.uniform(-0.5, 0.5, (50, 200)).astype(np.float32)
    tile.set_weights(w)
    held = tile.weights()
    x, d = rng.uniform(-1, 1, (10, 200)).astype(np.float32), rng.uniform(-1, 1, (10, 50)).astype(np.float32)
    y, first = tile.forward(x, False)
    z = tile.backward(d, first, False)
    print(f"devices have cut weights by {np.abs(held - w).max():.3f} at most")
    print(f"product: relative error {np.linalg.norm(y - x @ held.T) / np.linalg.norm(x @ held.T):.3f}")
    print(f"transposed: relative error {np.linalg.norm(z - d @ held) / np.linalg.norm(d @ held):.3f}")
    tile.update(x, d, 0.01)
    moved, wanted = (tile.weights() - held).ravel(), (-0.01 * d.T @ x).ravel()
    print(f"rank update: correlation with -lr·dᵀx {np.corrcoef(moved, wanted)[0, 1]:.3f}")


if __name__ == "__main__":
    main()
