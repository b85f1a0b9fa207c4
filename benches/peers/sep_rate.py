"""Times SEP and `legato detect` on the same image, and compares what they find.

Needs sep, astropy and numpy, and a built legato:

    python benches/peers/sep_rate.py target/release/legato [IMAGE [--rms RMS]] [--repeats 3]

Without IMAGE it simulates a field of 2048² pixels with 4,000 sources of many sizes and brightnesses on white noise. Both
read the same FITS file, measure the sky on a mesh of 64 pixels, extract at 1.5 σ and measure Kron fluxes, half-light
radii and windowed positions; legato writes its list as CSV. They take turns. Times are of the processor, so that a busy
machine does not count, and wall-clock; SEP uses one thread, legato as many as `RAYON_NUM_THREADS` says. Reading the file
is part of both, the start of Python is not.

Sources are matched by position, within a pixel and within three; what one has without the other is listed by its light.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

import numpy as np
import sep
from astropy.io import fits
from astropy.table import Table

SIDE, SOURCES = 2048, 4000


def simulate(path):
    rng = np.random.default_rng(2018)
    image = rng.normal(size=(SIDE, SIDE))
    for _ in range(SOURCES):
        x, y = rng.uniform(0, SIDE, 2)
        flux, a, q, angle = 10 ** (1.6 + 2.4 * rng.uniform() ** 2), 1.2 + 3 * rng.uniform() ** 2, rng.uniform(0.4, 1), rng.uniform(0, np.pi)
        reach = int(6 * a) + 1
        rows = np.arange(max(0, int(y) - reach), min(SIDE, int(y) + reach))
        columns = np.arange(max(0, int(x) - reach), min(SIDE, int(x) + reach))
        dx, dy = columns[None, :] - x, rows[:, None] - y
        u, v = np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx
        light = flux / (2 * np.pi * a * a * q) * np.exp(-0.5 * ((u / a) ** 2 + (v / (a * q)) ** 2))
        image[np.ix_(rows, columns)] += light
    fits.writeto(path, image.astype(np.float32))


def read(path):
    return np.ascontiguousarray(fits.getdata(path), np.float32)


def with_sep(path, rms):
    sep.set_extract_pixstack(10_000_000)
    image = read(path)
    bad = ~np.isfinite(image) | (image == 0)
    background = sep.Background(np.where(bad, 0, image), mask=bad)
    data = np.where(bad, 0, image - background.back())
    err = background.rms() if rms is None else read(rms)
    bad |= ~(np.isfinite(err) & (err > 0))
    objects, labels = sep.extract(data, 1.5, err=np.where(bad, 1, err), mask=bad, filter_type="conv", segmentation_map=True)
    x, y, a, b, theta = (objects[k] for k in ("x", "y", "a", "b", "theta"))
    segments = dict(seg_id=np.arange(1, len(objects) + 1, dtype=np.int32), segmap=labels, mask=bad)
    kron, _ = sep.kron_radius(data, x, y, a, b, theta, 6.0, **segments)
    radius = np.maximum(2.5 * np.where(np.isfinite(kron), kron, 0), 3.5)
    flux, _, _ = sep.sum_ellipse(data, x, y, a, b, theta, radius, subpix=5, **segments)
    r50, _ = sep.flux_radius(data, x, y, 6 * a, 0.5, normflux=flux, subpix=5, **segments)
    sep.winpos(data, x, y, np.maximum(2 * np.where(np.isfinite(r50), r50, a) / 2.3548, 0.5), mask=bad)
    return objects, flux, r50


def timed(work):
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = work()
    wall = time.perf_counter() - start
    cpu = 0.0
    for who, then in ((resource.RUSAGE_SELF, before), (resource.RUSAGE_CHILDREN, children)):
        now = resource.getrusage(who)
        cpu += now.ru_utime + now.ru_stime - then.ru_utime - then.ru_stime
    return result, cpu, wall


def matched(ours, theirs, radius):
    """For each of theirs the nearest of ours within the radius, each of ours once; -1 where there is none."""
    distance = np.hypot(ours[:, 0][None] - theirs[:, 0][:, None], ours[:, 1][None] - theirs[:, 1][:, None])
    pairs = np.argwhere(distance <= radius)
    partner, taken = np.full(len(theirs), -1), set()
    for i, j in sorted(pairs.tolist(), key=lambda p: distance[p[0], p[1]]):
        if partner[i] < 0 and j not in taken:
            partner[i] = j
            taken.add(j)
    return partner


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("legato", help="the program")
    parser.add_argument("image", nargs="?", help="a FITS image, in place of a simulated one")
    parser.add_argument("--rms", help="its map of noise")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        path = arguments.image or folder / "field.fits"
        if not arguments.image:
            simulate(path)
        output = folder / "list.csv"
        words = [arguments.legato, "-q", "detect", str(path), "-o", str(output)]
        words += ["--rms", arguments.rms] if arguments.rms else []
        times = {"SEP": [], "legato": []}
        for _ in range(arguments.repeats):
            (objects, flux, r50), *spent = timed(lambda: with_sep(path, arguments.rms))
            times["SEP"].append(spent)
            _, *spent = timed(lambda: subprocess.run(words, check=True))
            times["legato"].append(spent)
        pixels = read(path).size
        for name, all_of_it in times.items():
            cpu, wall = (statistics.median(part) for part in zip(*all_of_it))
            print(f"{name:7} {cpu:7.2f} s of processor time, {pixels / cpu / 1e6:6.2f} Mpixel/s; {wall:7.2f} s wall-clock")
        print(f"processors: {os.cpu_count()}, load {os.getloadavg()[0]:.1f}, sep {sep.__version__}")
        ours = Table.read(output, format="ascii.csv")
        places = np.column_stack([ours["X_ISO"] - 1, ours["Y_ISO"] - 1])
        theirs = np.column_stack([objects["x"], objects["y"]])
        print(f"sources: legato {len(ours)}, SEP {len(objects)}")
        for radius in (1.0, 3.0):
            partner = matched(places, theirs, radius)
            print(f"    matched within {radius:.0f} px: {(partner >= 0).sum()}")
        partner = matched(places, theirs, 1.0)
        whole = (partner >= 0) & ((objects["flag"] & sep.OBJ_MERGED) == 0)
        for name, choice in (("whole", whole), ("deblended", (partner >= 0) & ~whole)):
            mine = ours[partner[choice]]
            bright = np.array(mine["SNR"]) > 10
            apart = np.hypot(*(places[partner[choice]] - theirs[choice]).T)
            print(f"{name}: {choice.sum()}, of them with S/N > 10 {bright.sum()}")
            columns = {
                "position, px": apart,
                "isophotal light": np.array(mine["FLUX_ISO"]) / objects["flux"][choice] - 1,
                "a": np.array(mine["A"]) / objects["a"][choice] - 1,
                "b": np.array(mine["B"]) / objects["b"][choice] - 1,
                "Kron light": np.array(mine["FLUX_AUTO"]) / flux[choice] - 1,
                "half-light radius": np.array(mine["HALF_LIGHT_RADIUS"].astype(float)) / r50[choice] - 1,
            }
            for key, values in columns.items():
                values = np.abs(values[bright])
                median, most, worst = np.nanmedian(values), np.nanpercentile(values, 95), np.nanmax(values)
                print(f"    {key:18} median {median:.4f}, 95% below {most:.4f}, worst {worst:.4f}")


if __name__ == "__main__":
    main()
