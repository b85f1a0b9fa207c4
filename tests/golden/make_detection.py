"""Writes `detection.safetensors`: what SEP finds on two simulated fields.

Needs sep, numpy and safetensors:

    python tests/golden/make_detection.py

A field is 360×300 pixels of exponential galaxies and stars through a Gaussian PSF, some of them in pairs and small groups,
on a sky with a gradient and white noise, kept as whole numbers (16 bits) of a fiftieth of the noise. In the second field
the noise grows to twice as much from left to right, SEP is given the rms map, and a part is masked. (SEP smooths the noise
too, which a ramp does not show; next to a jump legato's threshold differs.)

SEP does as SExtractor does by default: mesh 64, filter 3×3, the convolution (`filter_type="conv"`) with its 3×3 pyramid,
1.5 times the rms, 5 pixels, 32 levels, contrast 0.005, cleaning with 1. Apertures as in SEP's documentation: Kron's radius
within 6, the ellipse of 2.5 of it and at least 3.5, half the light within 6a, windowed positions from that; the pixels of
other sources are masked, and the share of the ellipse that they take is kept.
"""

import pathlib

import numpy as np
import sep
from safetensors.numpy import save_file

WIDTH, HEIGHT = 360, 300
STEP = 0.02
COLUMNS = ["x", "y", "a", "b", "theta", "flux", "peak", "npix", "deblended", "kron", "flux_auto", "r50", "xwin", "ywin", "foreign"]


def field(seed, noise):
    """Sky, galaxies and noise, in units of STEP."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((HEIGHT, WIDTH), float)
    image = 20 + 0.01 * x - 0.006 * y + 1.5 * np.sin(x / 90) * np.cos(y / 110)
    places = [(rng.uniform(2, WIDTH - 3), rng.uniform(2, HEIGHT - 3)) for _ in range(130)]
    for u, v in places[:40]:
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(4, 14)
        places.append((u + distance * np.cos(angle), v + distance * np.sin(angle)))
    for u, v in places:
        flux, radius, q = 10 ** rng.uniform(1.5, 3.7), rng.uniform(0, 2.5), rng.uniform(0.4, 1)
        angle = rng.uniform(0, np.pi)
        # Exponential discs as sums of four Gaussians (fitted to 2% out to four scale lengths), through a PSF of 1.3 pixels.
        for part, width in ((0.09, 0.55), (0.33, 1.15), (0.42, 1.95), (0.16, 3.0)):
            major = (width * radius) ** 2 + 1.3**2
            minor = (width * radius * q) ** 2 + 1.3**2
            along = (x - u) * np.cos(angle) + (y - v) * np.sin(angle)
            across = (y - v) * np.cos(angle) - (x - u) * np.sin(angle)
            light = np.exp(-0.5 * (along**2 / major + across**2 / minor))
            image += flux * part / (2 * np.pi * np.sqrt(major * minor)) * light
    image += rng.normal(size=image.shape) * noise
    return np.round(image / STEP).astype(np.int16)


def find(image, rms=None, mask=None):
    background = sep.Background(image, mask=mask, bw=64, bh=64, fw=3, fh=3)
    data = image - background.back()
    err = background.rms() if rms is None else rms
    objects, labels = sep.extract(data, 1.5, err=err, mask=mask, filter_type="conv", segmentation_map=True)
    x, y, a, b, theta = (objects[k] for k in ("x", "y", "a", "b", "theta"))
    numbers = np.arange(1, len(objects) + 1, dtype=np.int32)
    segments = dict(seg_id=numbers, segmap=labels, mask=mask)
    kron, _ = sep.kron_radius(data, x, y, a, b, theta, 6.0, **segments)
    radius = np.maximum(2.5 * np.where(np.isfinite(kron), kron, 0), 3.5)
    flux_auto, _, _ = sep.sum_ellipse(data, x, y, a, b, theta, radius, subpix=5, **segments)
    r50, _ = sep.flux_radius(data, x, y, 6 * a, 0.5, normflux=flux_auto, subpix=5, **segments)
    xwin, ywin, _ = sep.winpos(data, x, y, np.maximum(2 * r50 / 2.3548, 0.5), mask=mask)
    foreign = []
    rows, columns = np.indices(image.shape)
    for i, o in enumerate(objects):
        dx, dy = columns - o["x"], rows - o["y"]
        near = o["cxx"] * dx**2 + o["cyy"] * dy**2 + o["cxy"] * dx * dy <= max(6, radius[i]) ** 2
        near |= dx**2 + dy**2 <= (6 * o["a"]) ** 2
        bad = (labels != 0) & (labels != i + 1)
        if mask is not None:
            bad |= mask
        foreign.append((near & bad).sum() / near.sum())
    values = dict(objects=objects, kron=radius, flux_auto=flux_auto, r50=r50, xwin=xwin, ywin=ywin, foreign=foreign)
    values["deblended"] = (objects["flag"] & sep.OBJ_MERGED) > 0
    table = [values[k] if k in values else objects[k] for k in COLUMNS]
    return background, np.array(table, float).T.copy(), labels


def main():
    tensors = {}
    columns = np.arange(WIDTH)
    rms = np.tile(1 + columns / WIDTH, (HEIGHT, 1)).astype(np.float32)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[100:125, 60:110] = True
    for name, seed, noise, inputs in (("plain", 11, 1.0, {}), ("weighted", 24, rms, dict(rms=rms, mask=mask))):
        whole = field(seed, noise)
        image = np.float32(STEP) * whole.astype(np.float32)
        background, table, _ = find(image, **inputs)
        tensors[f"{name}.image"] = whole
        tensors[f"{name}.sources"] = table
        tensors[f"{name}.level"] = np.ascontiguousarray(background.back()[::7, ::7])
        tensors[f"{name}.rms"] = np.ascontiguousarray(background.rms()[::7, ::7])
        blended = int(table[:, COLUMNS.index("deblended")].sum())
        print(f"{name}: {len(table)} sources, {blended} of them deblended; sky {background.globalback:.3f} ± {background.globalrms:.4f}")
    save_file(tensors, str(pathlib.Path(__file__).with_name("detection.safetensors")))


if __name__ == "__main__":
    main()
