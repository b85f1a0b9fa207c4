"""Times GalSim and legato on the same galaxies, one after the other in one run.

Needs galsim, astropy and numpy, and a built legato:

    python benches/peers/galsim_rate.py target/release/legato [--galaxies 40] [--stamps 20000]

Both make 128×128 stamps of the survey `candels-f160w`: the Sérsic galaxies that legato draws from its ranges, through
the survey's PSF, with the sky's and the source's noise. GalSim gets the PSF as an image with 4 samples to a pixel, and
runs at its default accuracy with white Gaussian and Poisson noise; legato's sky noise is correlated, as the survey's
is. Rates are of wall-clock time, GalSim's in one process and in one a core, legato's on one thread and on one a core,
the writing of the file included. Start-up is left out for GalSim and included for legato.
"""

import argparse
import math
import multiprocessing
import os
import pathlib
import subprocess
import tempfile
import time

import galsim
import numpy as np
from astropy.io import fits

SCALE, ZERO_POINT, EXPOSURE, SIGMA = 0.06, 25.9463, 3200.0, 0.0032


def prepare(path):
    global PSF
    with fits.open(path) as file:
        pixels = galsim.Image(np.ascontiguousarray(file[0].data.astype(float)), scale=file[0].header["PIXSCALE"])
    PSF = galsim.InterpolatedImage(pixels, flux=1.0)


def draw(row):
    flux = 10 ** (0.4 * (ZERO_POINT - row["MAG"]))
    galaxy = galsim.Sersic(n=row["N"], half_light_radius=row["RE_MAJ"] * math.sqrt(row["Q"]) * SCALE, flux=flux * EXPOSURE)
    galaxy = galaxy.shear(q=row["Q"], beta=(row["PA"] + 90) * galsim.degrees)
    image = galsim.Convolve(galaxy, PSF).drawImage(
        nx=128, ny=128, scale=SCALE, method="no_pixel", offset=(row["X"] - 64.5, row["Y"] - 64.5)
    )
    random = galsim.BaseDeviate(int(row["ID"]) + 1)
    # Interpolation may leave pixels a hair below zero, of which there is no Poisson noise.
    image.array[image.array < 0] = 0
    image.addNoise(galsim.PoissonNoise(random))
    image.addNoise(galsim.GaussianNoise(random, sigma=SIGMA * EXPOSURE))
    return image.array.sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("legato", help="the program")
    parser.add_argument("--galaxies", type=int, default=40, help="for GalSim, per process")
    parser.add_argument("--stamps", type=int, default=20000, help="for legato")
    arguments = parser.parse_args()
    cores = os.cpu_count()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run = lambda *words: subprocess.run(
            [arguments.legato, "-q", *map(str, words)], check=True, stdout=subprocess.DEVNULL
        )
        run("psf", "--survey", "candels-f160w", "--oversampling", 4, "-o", folder / "psf.fits")
        run("simulate", "-n", arguments.galaxies * cores, "-o", folder / "truth.fits")
        truth = [dict(zip(row.array.names, row)) for row in fits.getdata(folder / "truth.fits", "TRUTH")]
        prepare(folder / "psf.fits")
        rates = {}

        def timed(name, count, work):
            start = time.perf_counter()
            work()
            rates[name] = count / (time.perf_counter() - start)
            print(f"{name:28} {rates[name]:9.1f} stamps/s", flush=True)

        timed("GalSim, one process", arguments.galaxies, lambda: [draw(row) for row in truth[: arguments.galaxies]])
        # Not by forking, which would copy GalSim in the middle of its threads.
        with multiprocessing.get_context("spawn").Pool(cores, prepare, (folder / "psf.fits",)) as pool:
            timed(f"GalSim, {cores} processes", len(truth), lambda: pool.map(draw, truth, chunksize=4))
        for threads in (1, cores):
            output = folder / "stamps.fits"
            words = ("simulate", "-n", arguments.stamps, "--threads", threads, "-o", output)
            timed(f"legato, {threads} thread{'s' * (threads > 1)}", arguments.stamps, lambda: run(*words))
        print(f"on one core {rates['legato, 1 thread'] / rates['GalSim, one process']:.0f} times GalSim's rate")
        if cores > 1:
            ratio = rates[f"legato, {cores} threads"] / rates[f"GalSim, {cores} processes"]
            print(f"on {cores} cores {ratio:.0f} times GalSim's rate")


if __name__ == "__main__":
    main()
