"""Compares legato's noiseless stamps with GalSim's, and writes `sky.safetensors`: what GalSim makes of a few of them.

Needs galsim, astropy, numpy and safetensors, and a built legato:

    python tests/golden/make_sky.py target/release/legato

Both draw the same galaxies through the same PSF: the built-in F160W model, which legato writes with 4 samples to a
pixel and GalSim interpolates. GalSim draws with `method='no_pixel'`, since that PSF holds the pixel's response, and with
its accuracy parameters tightened until they no longer matter: `--looser` takes every eighth galaxy with
parameters looser by factors of 2 to 10, and shows by how much they still do.

The galaxies are a grid over the corners and the middle of the paper's ranges, and 200 draws from them.
"""

import argparse
import itertools
import math
import multiprocessing
import pathlib
import subprocess
import sys
import tempfile

import galsim
import numpy as np
from astropy.io import fits
from astropy.table import Table
from safetensors.numpy import save_file

SIZE, SCALE, ZERO_POINT = 128, 0.06, 25.9463
COLUMNS = ["MAG", "RE_MAJ", "N", "Q", "PA", "X", "Y"]
# What the golden set keeps of a stamp: its middle, and every fourth pixel.
MIDDLE, STRIDE = slice(52, 76), 4


def galaxies():
    """Rows of COLUMNS: the grid, then the draws."""
    rng = np.random.Generator(np.random.Philox(20))
    rows = [
        (20.0, re, n, q, pa, 64.5 + dx, 64.5 - dx)
        for (n, re, q), pa, dx in zip(
            itertools.product([0.3, 0.5, 1.0, 2.0, 4.0, 6.2], [1.5, 6.0, 31.6], [0.2, 0.8]),
            itertools.cycle([0.0, 25.0, 45.0, 90.0, -70.0]),
            itertools.cycle([0.0, 0.5, -0.31, 0.17]),
        )
    ]
    for _ in range(200):
        rows.append(
            (
                rng.uniform(16, 23),
                rng.uniform(1.5, 31.6),
                rng.uniform(0.3, 6.2),
                rng.uniform(0.2, 0.8),
                rng.uniform(-90, 90),
                64.5 + rng.uniform(-0.5, 0.5),
                64.5 + rng.uniform(-0.5, 0.5),
            )
        )
    return np.array(rows)


def flux(mag):
    return 10 ** (0.4 * (ZERO_POINT - mag))


def prepare(path, loose):
    """The PSF as GalSim takes it, in this process."""
    global PSF, PARAMETERS
    PARAMETERS = galsim.GSParams(
        maximum_fft_size=32768,
        folding_threshold=2e-3 if loose else 1e-3,
        stepk_minimum_hlr=8,
        maxk_threshold=1e-4 if loose else 1e-5,
        kvalue_accuracy=1e-6 if loose else 1e-7,
        xvalue_accuracy=1e-6 if loose else 1e-7,
    )
    with fits.open(path) as file:
        image, header = file[0].data.astype(float), file[0].header
    pixels = galsim.Image(np.ascontiguousarray(image), scale=header["PIXSCALE"])
    # Nothing passes the telescope beyond 8.33 cycles per arcsec: telling GalSim so spares it transforms of gigabytes.
    PSF = galsim.InterpolatedImage(
        pixels,
        x_interpolant="lanczos15",
        k_interpolant="quintic",
        pad_factor=8.0,
        flux=1.0,
        gsparams=PARAMETERS,
        _force_maxk=2 * math.pi * 8.5,
    )


def draw(row):
    mag, re, n, q, pa, x, y = row
    # GalSim's radius is the circularised one, and its angles start at +x.
    galaxy = galsim.Sersic(n=n, half_light_radius=re * math.sqrt(q) * SCALE, flux=flux(mag), gsparams=PARAMETERS)
    galaxy = galaxy.shear(q=q, beta=(pa + 90) * galsim.degrees)
    centre = (SIZE + 1) / 2
    image = galsim.Convolve(galaxy, PSF, gsparams=PARAMETERS).drawImage(
        nx=SIZE, ny=SIZE, scale=SCALE, method="no_pixel", offset=(x - centre, y - centre), dtype=float
    )
    return image.array


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("legato", help="the program")
    parser.add_argument("--processes", type=int, default=None)
    parser.add_argument("--looser", action="store_true", help="every eighth galaxy, GalSim's parameters looser; write nothing")
    arguments = parser.parse_args()
    rows = galaxies()[:: 8 if arguments.looser else 1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        table = Table(rows, names=COLUMNS)
        table.add_column(np.arange(len(rows)), 0, "ID")
        table.add_column(table["RE_MAJ"] * np.sqrt(table["Q"]), 3, "RE_CIRC")
        table.write(folder / "truth.fits")
        run = lambda *words: subprocess.run(
            [arguments.legato, "-q", *map(str, words)], check=True, stdout=subprocess.DEVNULL
        )
        run("psf", "--survey", "candels-f160w", "--oversampling", 4, "-o", folder / "psf.fits")
        run("simulate", "--survey", "candels-f160w", "--truth", folder / "truth.fits", "--no-noise", "-o", folder / "ours.fits")
        ours = fits.getdata(folder / "ours.fits").astype(float)
        with multiprocessing.Pool(
            arguments.processes, prepare, (folder / "psf.fits", arguments.looser)
        ) as pool:
            theirs = []
            for image in pool.imap(draw, rows):
                theirs.append(image)
                print(f"\r{len(theirs)} of {len(rows)}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    theirs = np.array(theirs)
    peak = theirs.max(axis=(1, 2))
    off = np.abs(ours - theirs).max(axis=(1, 2)) / peak
    light = np.abs((ours - theirs).sum(axis=(1, 2))) / flux(rows[:, 0])
    print(f"GalSim {galsim.__version__}, {len(rows)} galaxies")
    print(f"largest difference over the peak: worst {off.max():.1e}, median {np.median(off):.1e}")
    print(f"difference of the stamp's flux over the galaxy's: worst {light.max():.1e}, median {np.median(light):.1e}")
    for i in np.argsort(off)[: -6 : -1]:
        words = ", ".join(f"{name} {value:.3f}" for name, value in zip(COLUMNS, rows[i]))
        print(f"  {off[i]:.1e} {light[i]:.1e}: {words}")
    if arguments.looser:
        return
    kept = [i for i in range(36) if i % 3 != 1] + list(range(36, 44))
    save_file(
        {
            "galaxies": rows[kept],
            "middle": theirs[kept, MIDDLE, MIDDLE].astype(np.float32).copy(),
            "sparse": theirs[kept, ::STRIDE, ::STRIDE].astype(np.float32).copy(),
        },
        pathlib.Path(__file__).parent / "sky.safetensors",
        {"made by": "tests/golden/make_sky.py", "galsim": galsim.__version__, "columns": " ".join(COLUMNS)},
    )


if __name__ == "__main__":
    main()
