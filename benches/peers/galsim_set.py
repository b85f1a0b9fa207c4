"""Makes a data set whose galaxies GalSim has drawn, for `legato evaluate`.

Needs galsim, astropy and numpy, and a built legato:

    python benches/peers/galsim_set.py target/release/legato -n 5000 --seed 9002 -o galsim.fits
    legato evaluate --data galsim.fits -o report

legato draws the parameters from the ranges of the survey `candels-f160w` and gives the survey's PSF, with 4 samples to a
pixel; everything else is GalSim's: the Sérsic profiles, their convolution, the photons' and the sky's noise. The noise
of both is correlated as the survey's mosaics have it (white noise through the filter whose power spectrum is that of
the survey's autocorrelation); `--white` leaves it white.
"""

import argparse
import math
import multiprocessing
import os
import pathlib
import subprocess
import tempfile

import galsim
import numpy as np
from astropy.io import fits

SIZE, SCALE, ZERO_POINT, EXPOSURE, SIGMA = 128, 0.06, 25.9463, 3200.0, 0.0032
# The noise's correlation at offsets (x, y), as in datasets/candels-f160w.toml.
CORRELATION = {(0, 0): 1.0, (1, 0): 0.49, (0, 1): 0.55, (1, 1): 0.28, (2, 0): 0.1, (0, 2): 0.1, (3, 0): 0.03, (0, 3): 0.03}


def prepare(path, white):
    global PSF, FILTER
    os.nice(5)
    with fits.open(path) as file:
        pixels = galsim.Image(np.ascontiguousarray(file[0].data.astype(float)), scale=file[0].header["PIXSCALE"])
    PSF = galsim.InterpolatedImage(pixels, flux=1.0)
    correlation = np.zeros((2 * SIZE, 2 * SIZE))
    for (x, y), value in ({(0, 0): 1.0} if white else CORRELATION).items():
        for at in {(y, x), (-y, x), (y, -x), (-y, -x)}:
            correlation[at] = value
    power = np.fft.fft2(correlation).real.clip(0)
    FILTER = np.sqrt(power / power.mean())


def correlated(noise, gain):
    """Noise of the filter's correlation out of white noise on twice the stamp, so that its edges do not wrap."""
    return np.fft.ifft2(np.fft.fft2(noise) * (gain * FILTER)).real[:SIZE, :SIZE]


def draw(row):
    flux = 10 ** (0.4 * (ZERO_POINT - row["MAG"])) * EXPOSURE
    galaxy = galsim.Sersic(n=row["N"], half_light_radius=row["RE_MAJ"] * math.sqrt(row["Q"]) * SCALE, flux=flux)
    galaxy = galaxy.shear(q=row["Q"], beta=(row["PA"] + 90) * galsim.degrees)
    image = galsim.Convolve(galaxy, PSF).drawImage(
        nx=SIZE, ny=SIZE, scale=SCALE, method="no_pixel", offset=(row["X"] - 64.5, row["Y"] - 64.5)
    )
    # Interpolation may leave pixels a hair below zero, of which there is no Poisson noise.
    clean = image.array.astype(float).clip(0)
    random = galsim.BaseDeviate(int(row["ID"]) + 77001)
    photons = galsim.Image(np.zeros((2 * SIZE, 2 * SIZE)))
    photons.array[:SIZE, :SIZE] = clean
    photons.addNoise(galsim.PoissonNoise(random))
    photons.array[:SIZE, :SIZE] -= clean
    sky = galsim.Image(np.zeros((2 * SIZE, 2 * SIZE)))
    sky.addNoise(galsim.GaussianNoise(random, sigma=SIGMA * EXPOSURE))
    # The sky's noise has its sigma in every pixel. Of photons drizzling loses and makes none: those of a large area
    # are as many as without it, and a pixel's own noise is less.
    noise = correlated(photons.array, 1 / FILTER[0, 0]) + correlated(sky.array, 1)
    return ((clean + noise) / EXPOSURE).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("legato", help="the program")
    parser.add_argument("-n", type=int, default=5000, help="galaxies")
    parser.add_argument("--seed", type=int, default=9002, help="of the galaxies' parameters")
    parser.add_argument("--white", action="store_true", help="white noise")
    parser.add_argument("-o", "--output", required=True, help="the data set to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        psf = pathlib.Path(folder) / "psf.fits"
        run = lambda *words: subprocess.run([arguments.legato, "-q", *map(str, words)], check=True)
        run("psf", "--survey", "candels-f160w", "--oversampling", 4, "-o", psf)
        run("simulate", "-n", arguments.n, "--seed", arguments.seed, "-o", arguments.output)
        with fits.open(arguments.output, mode="update", memmap=False) as file:
            truth = [dict(zip(row.array.names, row)) for row in file["TRUTH"].data]
            # Not by forking, which would copy GalSim in the middle of its threads.
            with multiprocessing.get_context("spawn").Pool(os.cpu_count(), prepare, (psf, arguments.white)) as pool:
                for i, stamp in enumerate(pool.imap(draw, truth, chunksize=16)):
                    file[0].data[i] = stamp
            file[0].header["HISTORY"] = f"pixels drawn by GalSim {galsim.__version__}"


if __name__ == "__main__":
    main()
