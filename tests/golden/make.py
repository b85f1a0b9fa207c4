"""Writes `architecture_1.safetensors` and `architecture_2.safetensors`: what PyTorch makes of the two networks.

Needs torch, numpy and safetensors:  python tests/golden/make.py

Every number that goes in is drawn from Philox (`philox.py`) and rounded to f32, so the Rust tests rebuild
inputs, targets and weights bit for bit. From there on everything is computed in float64: the reference is
then free of PyTorch's own rounding and summation order, and a test's tolerance has to cover the f32 of one
program, not of two. How far PyTorch's own f32 run lies from it is printed, for scale.

Layouts are legato's: activations NHWC, convolution weights [ky][kx][ci][co], dense weights [in][out], the
flatten in (y, x, c). Parameters are leaves in those layouts, so their gradients come out in them too.
"""

import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from philox import symmetric

SIGMA = 0.0032  # e/s per pixel: the noise that scales the stretch
DENSE = [128, 64, 1]
# Per block: the kernel's side and the width of its two convolutions; a 2x2 max-pool ends it.
ARCHITECTURES = {
    1: {"blocks": [(4, 16), (4, 32), (3, 64), (2, 128)], "reduced": 32},
    2: {"blocks": [(4, 16), (3, 64), (2, 64)], "reduced": 16},
}
REDUCED_BATCH, FULL_BATCH, FULL_SIDE = 3, 2, 128
SUB_STAMPS, SUB_TARGETS = 1000, 1001
STEPS = 10


def shapes(blocks, side):
    """Names and shapes of the parameters in network order: their index is their Philox sub-stream."""
    table, ci, layer = [], 1, 0
    for kernel, width in blocks:
        for _ in range(2):
            layer += 1
            table += [(f"conv{layer}.weight", (kernel, kernel, ci, width)), (f"conv{layer}.bias", (width,))]
            ci = width
        side //= 2
    fan_in = side * side * ci
    for layer, width in enumerate(DENSE, 1):
        table += [(f"dense{layer}.weight", (fan_in, width)), (f"dense{layer}.bias", (width,))]
        fan_in = width
    return table


def draw_parameters(blocks, side, dtype):
    parameters = {}
    for sub, (name, shape) in enumerate(shapes(blocks, side)):
        limit = math.sqrt(6.0 / math.prod(shape[:-1])) if name.endswith("weight") else 0.1
        parameters[name] = torch.tensor(symmetric(shape, sub, limit), dtype=dtype, requires_grad=True)
    return parameters


def draw_batch(batch, side, dtype):
    stamps = torch.tensor(symmetric((batch, side, side, 1), SUB_STAMPS, 0.05), dtype=dtype)
    targets = torch.tensor(symmetric((batch, 1), SUB_TARGETS, 1.0), dtype=dtype)
    return stamps, targets


def forward(parameters, blocks, stamps):
    """Stretch, convolutions with ReLU, pools, dense layers with ReLU but for the last; no noise, no dropout."""
    x = torch.asinh(stamps / (3.0 * SIGMA)) / 3.0
    x, layer = x.permute(0, 3, 1, 2), 0
    for _ in blocks:
        for _ in range(2):
            layer += 1
            weight = parameters[f"conv{layer}.weight"].permute(3, 2, 0, 1)
            x = F.relu(F.conv2d(x, weight, parameters[f"conv{layer}.bias"], padding="same"))
        x = F.max_pool2d(x, 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    for layer in range(1, len(DENSE) + 1):
        x = x @ parameters[f"dense{layer}.weight"] + parameters[f"dense{layer}.bias"]
        x = F.relu(x) if layer < len(DENSE) else x
    return x


def run(spec, dtype):
    """Everything the golden file holds, computed in `dtype`, as f64 arrays; and the smallest |error| of any step."""
    blocks, side = spec["blocks"], spec["reduced"]
    result, nearest = {}, math.inf

    parameters = draw_parameters(blocks, side, dtype)
    stamps, targets = draw_batch(REDUCED_BATCH, side, dtype)
    adam = torch.optim.Adam(parameters.values(), lr=0.001, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    for step in range(STEPS):
        adam.zero_grad()
        output = forward(parameters, blocks, stamps)
        loss = (output - targets).abs().mean()
        loss.backward()
        nearest = min(nearest, (output - targets).abs().min().item())
        losses.append(loss.item())
        if step == 0:
            result["output"] = output.detach()
            result |= {f"gradient.{name}": p.grad.clone() for name, p in parameters.items()}
        adam.step()

    parameters = draw_parameters(blocks, FULL_SIDE, dtype)
    with torch.no_grad():
        result["full.output"] = forward(parameters, blocks, draw_batch(FULL_BATCH, FULL_SIDE, dtype)[0])
    result = {name: value.double().numpy() for name, value in result.items()}
    result |= {"loss": np.array(losses[:1]), "losses": np.array(losses)}
    return result, nearest


def describe(number, spec, reference, nearest, single):
    count = sum(math.prod(shape) for _, shape in shapes(spec["blocks"], FULL_SIDE))
    print(f"architecture {number}: {count:,} parameters at {FULL_SIDE}x{FULL_SIDE}")
    for name in ("output", "losses", "full.output"):
        print(f"  {name}: {' '.join(f'{v:.9f}' for v in reference[name].ravel())}")
    print(f"  smallest |output - target| in {STEPS} steps: {nearest:.2e}")
    for name in ("output", "full.output", "losses"):
        print(f"  PyTorch f32 against f64, {name}: {np.abs(single[name] - reference[name]).max():.1e} at most")
    gradients = [n for n in reference if n.startswith("gradient.")]
    off = {n: np.abs(single[n] - reference[n]).max() / np.abs(reference[n]).max() for n in gradients}
    worst = max(off, key=off.get)
    print(f"  PyTorch f32 against f64, gradients: {off[worst]:.1e} of the largest element at most ({worst})")


def main():
    here = pathlib.Path(__file__).parent
    print(f"torch {torch.__version__}, numpy {np.__version__}")
    for number, spec in ARCHITECTURES.items():
        (reference, nearest), (single, _) = run(spec, torch.float64), run(spec, torch.float32)
        describe(number, spec, reference, nearest, single)
        tensors = {n: v if n in ("loss", "losses") else v.astype(np.float32) for n, v in reference.items()}
        path = here / f"architecture_{number}.safetensors"
        save_file({n: np.ascontiguousarray(v) for n, v in tensors.items()}, path)
        print(f"  {path.name}: {len(tensors)} tensors, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
