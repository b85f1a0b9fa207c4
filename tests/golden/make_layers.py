"""Writes `layers.safetensors`: PyTorch's convolutions and their gradients, one case a kernel size and shape.

Needs torch, numpy and safetensors:  python tests/golden/make_layers.py

`same` padding as legato, Keras and PyTorch have it: (k - 1) / 2 rows above, k / 2 below, so an even kernel
has its odd row at the bottom and right. Inputs are drawn from Philox and rounded to f32, the arithmetic is
float64, the results are rounded once to f32. Tensors of a case are named `k4.7x9.dw` and so on:

    x [n][y][x][ci]   w [ky][kx][ci][co]   b [co]   y, dy [n][y][x][co]   dx, dw, db as x, w, b
"""

import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from philox import symmetric

KERNELS = [1, 2, 3, 4, 5]
SHAPES = [(2, 7, 9, 3, 5), (1, 12, 10, 4, 8)]  # batch, height, width, channels in, channels out
FIRST_SUB = 2000  # four sub-streams a case: x, w, b, dy


def case(kernel, shape, sub):
    batch, height, width, ci, co = shape
    sizes = {
        "x": (batch, height, width, ci),
        "w": (kernel, kernel, ci, co),
        "b": (co,),
        "dy": (batch, height, width, co),
    }
    drawn = {name: symmetric(size, sub + i, 1.0) for i, (name, size) in enumerate(sizes.items())}
    x, w, b = (torch.tensor(drawn[n], dtype=torch.float64, requires_grad=True) for n in "xwb")
    nchw, oihw = x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1)
    before, after = (kernel - 1) // 2, kernel // 2
    y = F.conv2d(F.pad(nchw, (before, after, before, after)), oihw, b)
    assert torch.allclose(y, F.conv2d(nchw, oihw, b, padding="same"), atol=1e-12), "PyTorch pads otherwise"
    y = y.permute(0, 2, 3, 1)
    y.backward(torch.tensor(drawn["dy"], dtype=torch.float64))
    results = {"y": y.detach(), "dx": x.grad, "dw": w.grad, "db": b.grad}
    return drawn | {n: np.ascontiguousarray(v.numpy().astype(np.float32)) for n, v in results.items()}


def main():
    tensors, sub = {}, FIRST_SUB
    for kernel in KERNELS:
        for shape in SHAPES:
            prefix = f"k{kernel}.{shape[1]}x{shape[2]}"
            tensors |= {f"{prefix}.{name}": value for name, value in case(kernel, shape, sub).items()}
            sub += 4
    path = pathlib.Path(__file__).parent / "layers.safetensors"
    save_file(tensors, path)
    print(f"torch {torch.__version__}, numpy {np.__version__}")
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
