"""Fits galaxies with imfit, the open classical fitter, and measures the same stamps with legato.

Needs pyimfit, astropy, numpy and scipy, and a built legato. `--install` gets them into an environment that is thrown away
afterwards:

    python benches/peers/imfit_rate.py target/release/legato [-n 60] [--seed 9005] [--data set.fits] [--install]

legato simulates the stamps (128×128, survey `candels-f160w`) unless `--data` gives a set of them with its truth, and
gives the survey's PSF. imfit fits one Sérsic profile to each by its Levenberg–Marquardt, in one thread, within the limits
that the paper gave GALFIT (index 0.2–6.3, half-light radius 0.3–130 pixels, magnitude within 3 of the first one), from
moments of the image and an index of 2.5, the sky held at zero. It knows the noise: the sky's standard deviation and
the exposure time of the set. It averages a profile over each pixel before it convolves with the PSF's samples, so that
it is given the PSF without the pixel's response, which the survey's PSF contains.

Every galaxy counts, failed fits included. Seconds are wall-clock time and processor time; on a machine that does other
work only the latter means much. legato's are those of `legato fit` with the networks in the box that learned from isolated galaxies: the whole command
over its stamps, and what each stamp adds to it.
"""

import argparse
import datetime
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv

from side_by_side import hardware

PARAMETERS = ("MAG", "RE_MAJ", "N", "Q")
PSF_SIZE = 127


def without_pixel(fine, oversampling, size):
    """The samples at the pixels' centres of a PSF that is sampled finer, the response of a square pixel taken out."""
    import numpy as np

    n = fine.shape[0]
    f = np.fft.fftfreq(n)
    response = np.sinc(f * oversampling)
    # Beyond the Nyquist frequency of the pixels there is no light to be divided by a response that vanishes.
    inside = np.abs(f) <= 0.5 / oversampling
    factor = np.where(inside, 1 / np.where(inside, response, 1), 0)
    spectrum = np.fft.fft2(np.fft.ifftshift(fine)) * np.outer(factor, factor)
    clean = np.fft.fftshift(np.fft.ifft2(spectrum).real)
    middle, half = n // 2, size // 2
    reach = np.arange(-half, half + 1) * oversampling + middle
    samples = clean[np.ix_(reach, reach)]
    return samples / samples.sum()


def moments(image, sigma, zero_point):
    """Centre (FITS pixels), magnitude, half-light radius, axis ratio and position angle of what is in the middle."""
    import numpy as np
    from scipy import ndimage

    smooth = ndimage.uniform_filter(image, 3)
    labels, _ = ndimage.label(smooth > sigma)
    rows, columns = image.shape
    y, x = np.mgrid[1 : rows + 1, 1 : columns + 1]
    near = np.where(np.hypot(x - (columns + 1) / 2, y - (rows + 1) / 2) < 12, smooth, -np.inf)
    segment = labels == labels[np.unravel_index(np.argmax(near), near.shape)]
    weight = np.where(segment, image, 0).clip(0)
    flux = weight.sum()
    xc, yc = (weight * x).sum() / flux, (weight * y).sum() / flux
    dx, dy = x - xc, y - yc
    xx, yy, xy = ((weight * m).sum() / flux for m in (dx * dx, dy * dy, dx * dy))
    spread = np.hypot(0.5 * (xx - yy), xy)
    q = np.sqrt(max(0.5 * (xx + yy) - spread, 0.1) / (0.5 * (xx + yy) + spread))
    pa = np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)) - 90
    r = np.hypot(dx, dy)
    order = np.argsort(r, axis=None)
    growth = np.cumsum(weight.ravel()[order])
    half_light = r.ravel()[order][np.searchsorted(growth, 0.5 * growth[-1])]
    return xc, yc, zero_point - 2.5 * np.log10(flux), max(half_light / np.sqrt(q), 0.5), np.clip(q, 0.05, 0.99), pa


def intensity(flux, re, n, q):
    """Surface brightness at the half-light radius of a Sérsic profile of this total flux."""
    import numpy as np
    from scipy.special import gamma, gammaincinv

    b = gammaincinv(2 * n, 0.5)
    return flux / (2 * np.pi * q * re**2 * n * np.exp(b) * b ** (-2 * n) * gamma(2 * n))


def fit(image, noise, psf, start, zero_point):
    """MAG, RE_MAJ, N and Q as imfit finds them, and whether it converged."""
    import numpy as np
    import pyimfit

    x, y, mag, re, q, pa = start
    flux = 10 ** (0.4 * (zero_point - mag))
    first = intensity(flux, re, 2.5, q)
    model = pyimfit.SimpleModelDescription()
    model.x0.setValue(x, [x - 20, x + 20])
    model.y0.setValue(y, [y - 20, y + 20])
    profile = pyimfit.make_imfit_function("Sersic")
    profile.PA.setValue(pa, [pa - 180, pa + 180])
    profile.ell.setValue(1 - q, [0, 0.9999])
    profile.n.setValue(2.5, [0.2, 6.3])
    profile.r_e.setValue(re, [0.3, 130])
    # The limits of the magnitude, as near as one on this parameter comes.
    profile.I_e.setValue(first, [first * 1e-5, first * 1e5])
    model.addFunction(profile)
    fitter = pyimfit.Imfit(model, psf=psf, maxThreads=1)
    fitter.loadData(image, error=noise, error_type="sigma")
    result = fitter.doFit(solver="LM")
    _, _, _, ell, n, i_e, r_e = result.params
    total = i_e / intensity(1.0, r_e, n, 1 - ell)
    return (zero_point - 2.5 * np.log10(total), r_e, n, 1 - ell), result.fitConverged


def seconds_of(command):
    """Wall-clock and processor seconds of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def r2(truth, found):
    mean = statistics.fmean(truth)
    return 1 - sum((t - f) ** 2 for t, f in zip(truth, found)) / sum((t - mean) ** 2 for t in truth)


def run(arguments):
    import astropy
    import numpy as np
    import pyimfit
    import scipy
    from astropy.io import fits
    from astropy.table import Table

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        legato = lambda *words: [arguments.legato, "-q", "--device", arguments.device, *words]
        psf_file, data = folder / "psf.fits", arguments.data or folder / "set.fits"
        subprocess.run(list(map(str, legato("psf", "--survey", "candels-f160w", "-o", psf_file))), check=True, stdout=subprocess.DEVNULL)
        if arguments.data is None:
            subprocess.run(list(map(str, legato("simulate", "-n", arguments.n, "--seed", arguments.seed, "-o", data))), check=True)
        with fits.open(psf_file) as file:
            psf = without_pixel(file[0].data.astype(float), file[0].header["OVERSAMP"], PSF_SIZE)
        with fits.open(data) as file:
            header, cube, truth = file[0].header, file[0].data.astype(float), Table(file["TRUTH"].data)
        count = min(arguments.n, len(cube))
        cube, truth = cube[:count], truth[:count]
        part = folder / "part.fits"
        whole = fits.HDUList([fits.PrimaryHDU(cube.astype("f4"), header)])
        whole.writeto(part)

        zero_point, sigma, exposure = header["MAGZERO"], header["SIGMA"], header["EXPTIME"]
        theirs, walls, processor, failed = [], [], [], 0
        for number, image in enumerate(cube, 1):
            image = np.ascontiguousarray(image)
            start, cpu = time.perf_counter(), time.process_time()
            noise = np.sqrt(sigma**2 + image.clip(0) / exposure)
            first = moments(image, sigma, zero_point)
            found, converged = fit(image, noise, psf, first, zero_point)
            walls.append(time.perf_counter() - start)
            processor.append(time.process_time() - cpu)
            theirs.append(found)
            failed += not converged
            print(f"\rimfit: {number}/{count}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)

        one = folder / "one.fits"
        fits.PrimaryHDU(cube[:1].astype("f4"), header).writeto(one)
        catalogue = folder / "legato.fits"
        alone, together = [], []
        # Unmeasured: the driver keeps the kernels that it has compiled.
        seconds_of(legato("fit", one, "--models", arguments.models, "-o", folder / "one-catalogue.fits"))
        for _ in range(arguments.repeats):
            alone.append(seconds_of(legato("fit", one, "--models", arguments.models, "-o", folder / "one-catalogue.fits")))
            together.append(seconds_of(legato("fit", part, "--models", arguments.models, "-o", catalogue)))
        ours = Table.read(catalogue, hdu="CATALOGUE")
        alone, together = ([statistics.median(times) for times in zip(*rows)] for rows in (alone, together))
        version = subprocess.run([arguments.legato, "--version"], check=True, capture_output=True, text=True).stdout.strip()

    print(f"\n{datetime.date.today()}, {hardware()}, load {os.getloadavg()[0]:.1f} at the end")
    print(f"{version}; pyimfit {pyimfit.__version__}, numpy {np.__version__}, scipy {scipy.__version__}, astropy {astropy.__version__}")
    print(f"{count} stamps of {data if arguments.data else f'seed {arguments.seed}'}; {failed} fits did not converge\n")
    print(f"{'':24}{'imfit R²':>10}{'legato R²':>11}{'imfit median |error|':>23}{'legato':>10}")
    for i, name in enumerate(PARAMETERS):
        true = [float(v) for v in truth[name]]
        imfit, networks = [row[i] for row in theirs], [float(v) for v in ours[name]]
        error = lambda found: statistics.median(abs(t - f) for t, f in zip(true, found))
        print(f"{name:24}{r2(true, imfit):10.4f}{r2(true, networks):11.4f}{error(imfit):23.4f}{error(networks):10.4f}")
    print(f"\n{'seconds a galaxy':32}{'wall':>10}{'processor':>11}")
    row = lambda name, wall, cpu: print(f"{name:32}{wall:10.4f}{cpu:11.4f}")
    row("imfit, median", statistics.median(walls), statistics.median(processor))
    row("imfit, mean", statistics.fmean(walls), statistics.fmean(processor))
    row("legato fit, start-up included", *(t / count for t in together))
    if count > 1:
        row("legato fit, each one more", *((t - a) / (count - 1) for t, a in zip(together, alone)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("legato", type=pathlib.Path, help="the program")
    parser.add_argument("-n", type=int, default=60, help="stamps, at most")
    parser.add_argument("--seed", type=int, default=9005, help="of the simulated stamps")
    parser.add_argument("--data", type=pathlib.Path, help="a data set with its truth, in place of simulated stamps")
    parser.add_argument("--device", default="auto", help="legato's adapter")
    parser.add_argument("--models", default="isolated", help="legato's networks: a set in the box, a file or a folder")
    parser.add_argument("--repeats", type=int, default=3, help="of legato's runs, of which the median counts")
    parser.add_argument("--install", action="store_true", help="pyimfit and the rest into an environment that is thrown away")
    arguments = parser.parse_args()
    arguments.legato = arguments.legato.resolve()
    if not arguments.install:
        return run(arguments)
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = pathlib.Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        subprocess.run([python, "-m", "pip", "install", "-q", "pyimfit", "astropy", "numpy", "scipy"], check=True)
        words = [word for word in sys.argv[1:] if word != "--install"]
        subprocess.run([python, pathlib.Path(__file__), *words], check=True)


if __name__ == "__main__":
    main()
