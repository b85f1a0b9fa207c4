"""Sets what legato measures on real galaxies beside what others have published of them.

Needs astropy and numpy, a built legato, and a folder with the real files that the tests use (`candels-uds/` with GALFIT's
output blocks, `cosmos/` with GalSim's COSMOS sample):

    python benches/peers/published.py target/release/legato FOLDER [--sets isolated crowded]

prints, for each set of networks, every galaxy and the medians of the absolute differences in magnitude, log10 of the
effective radius, Sérsic index and axis ratio. CANDELS: the eight blocks with a sound fit of the Sérsic component nearest to
the middle. COSMOS (F814W, 0.03 arcsec a pixel): the one-component fits of `sersicfit`, and `MAG`.
"""

import argparse
import pathlib
import re
import subprocess
import tempfile

import numpy as np
from astropy.io import fits
from astropy.table import Table

SOUND = ["gf4", "gf5", "gf15", "gf17", "gf20", "gf26", "gf33", "gf38"]
COSMOS_SCALE, COSMOS_ZERO_POINT = 0.03, 25.9463
PARAMETERS = ["magnitude", "log10 radius", "index", "axis ratio"]


def number(text):
    return float(re.search(r"[-+]?\d+\.?\d*(e[-+]?\d+)?", str(text)).group())


def galfit(path):
    """Magnitude, radius in pixels, index and axis ratio of the component nearest to the middle of a block."""
    with fits.open(path) as blocks:
        header, (height, width) = blocks[2].header, blocks[1].data.shape
    first = [int(part.split(":")[0]) for part in header["FITSECT"].strip("[]").split(",")]
    middle = [start + (size - 1) / 2 for start, size in zip(first, (width, height))]
    found = []
    for k in (k for k in range(1, 100) if header.get(f"COMP_{k}") == "sersic"):
        place = [number(header[f"{k}_{axis}C"]) for axis in "XY"]
        values = [number(header[f"{k}_{name}"]) for name in ("MAG", "RE", "N", "AR")]
        found.append((np.hypot(*np.subtract(place, middle)), values))
    return min(found)[1]


def measure(arguments, images, name, folder, *options):
    output = pathlib.Path(folder) / "out.csv"
    words = ["-q", "fit", *images, "--stamps", "--models", name, *options, "-o", output]
    subprocess.run([arguments.legato, *map(str, words)], check=True)
    return Table.read(output)


def compare(title, names, published, rows, radius):
    differences = []
    for name, theirs, row in zip(names, published, rows):
        ours = [row["MAG"], row[radius], row["N"], row["Q"]]
        change = np.subtract(ours, theirs)
        change[1] = np.log10(ours[1] / theirs[1])
        differences.append(np.abs(change))
        print(f"  {name:8}", *(f"{a:8.3f} ({b:.3f})" for a, b in zip(ours, theirs)), f"  FLAGS {row['FLAGS']}")
    medians = ", ".join(f"{p} {m:.2f}" for p, m in zip(PARAMETERS, np.median(differences, axis=0)))
    print(f"{title}: median differences in {medians}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("legato", help="the program")
    parser.add_argument("folder", type=pathlib.Path, help="the real files")
    parser.add_argument("--sets", nargs="+", default=["isolated", "crowded"], help="sets of networks, or weights files")
    arguments = parser.parse_args()
    blocks = [arguments.folder / "candels-uds" / f"H.{name}.fits" for name in SOUND]
    stamps = arguments.folder / "cosmos" / "real_galaxy_images_23.5_n1.fits"
    fitted = Table.read(arguments.folder / "cosmos" / "real_galaxy_catalog_23.5_fits.fits")["sersicfit"]
    magnitudes = Table.read(arguments.folder / "cosmos" / "real_galaxy_catalog_23.5.fits")["MAG"]
    cosmos = [(mag, fit[1] * COSMOS_SCALE, fit[2], fit[3]) for mag, fit in zip(magnitudes, fitted)]
    options = ["--pixel-scale", COSMOS_SCALE, "--zero-point", COSMOS_ZERO_POINT]
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.sets:
            rows = measure(arguments, blocks, name, folder)
            compare(f"CANDELS, {name}", SOUND, map(galfit, blocks), rows, "RE_MAJ")
            rows = measure(arguments, [stamps], name, folder, *options)
            compare(f"COSMOS, {name}", map(str, range(len(cosmos))), cosmos, rows, "RE_ARCSEC")


if __name__ == "__main__":
    main()
