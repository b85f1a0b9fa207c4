"""What share of images that the networks do not know legato calls out of their domain.

    python benches/domain.py target/release/legato [--models isolated] [-n 400]

simulates sets of `n` stamps: the survey that the networks learned from; other PSFs; companions; stars; and
blank sky. Prints for each the share whose score OOD is above 3, by the repeats and the rendered model, and by the repeats
alone (`--no-residuals`), and, for galaxies, what share of the truths the 68% intervals of the four parameters hold. Then R² on
crowded galaxies of a deeper image (`benches/deep.toml`), with a map of its noise and without.
"""

import argparse
import csv
import pathlib
import random
import re
import subprocess
import tempfile

PARAMETERS = ["MAG", "RE_MAJ", "N", "Q"]
LIMIT = 3.0
SEED = 8900


def survey(text, name, **changes):
    """The text of a survey under another name, with whole sections or the values of keys replaced."""
    for section, body in changes.items():
        text, found = re.subn(rf"(?ms)^\[{section}\]\n.*?(?=^(#|\[)|\Z)", f"[{section}]\n{body}\n", text)
        assert found == 1, section
    return re.sub(r'(?m)^name = .*$', f'name = "{name}"', text)


def truths(path, n, galaxy):
    """A table of truth, `galaxy` called once a row for its magnitude and radius in pixels."""
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["X", "Y", "MAG", "RE_MAJ", "N", "Q", "PA"])
        for _ in range(n):
            magnitude, radius = galaxy()
            x, y = (random.uniform(64.0, 65.0) for _ in range(2))
            rows.writerow([x, y, magnitude, radius, 1.0, 0.8, random.uniform(0.0, 180.0)])


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def share(rows, holds):
    return sum(map(holds, rows)) / len(rows)


def deeper(legato, folder, models):
    """R² on crowded galaxies of an image eight times as deep as the networks know, with a map of its noise and without."""
    mosaic, noise = folder / "deep.fits", folder / "deep-noise.fits"
    legato("--seed", 31, "simulate", "--survey", pathlib.Path(__file__).parent / "deep.toml", "-n", 150, "--mosaic", "grid",
           "--catalog", folder / "deep.csv", "--rms", noise, "-o", mosaic)
    truth = table(folder / "deep.csv")
    for name, options in [("a map of its noise", ["--rms", noise]), ("none", [])]:
        found = folder / "found.csv"
        legato("fit", mosaic, "--catalog", folder / "deep.csv", "--models", models, *options, "-o", found)
        rows = table(found)
        found.unlink()
        told = []
        for key in PARAMETERS:
            pairs = [(float(true[key]), float(row[key])) for true, row in zip(truth, rows, strict=True)]
            mean = sum(true for true, _ in pairs) / len(pairs)
            told.append(1.0 - sum((t - y) ** 2 for t, y in pairs) / sum((t - mean) ** 2 for t, _ in pairs))
        print(f"eight times as deep, {models}, {name}: R² " + "  ".join(f"{r2:.3f}" for r2 in told))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("legato", help="the program")
    parser.add_argument("--models", default="isolated")
    parser.add_argument("--crowded", default="crowded", help="the networks for the deeper image")
    parser.add_argument("-n", type=int, default=400)
    arguments = parser.parse_args()
    random.seed(SEED)
    plain = (pathlib.Path(__file__).parent.parent / "datasets" / "candels-f160w.toml").read_text()

    def legato(*words):
        subprocess.run([arguments.legato, "-q", *map(str, words)], check=True, stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def written(name, **changes):
            path = folder / f"{name}.toml"
            path.write_text(survey(plain, name, **changes))
            return path

        moffat = 'model = "moffat"\nfwhm = {}\nbeta = {}'
        truths(folder / "stars.csv", arguments.n, lambda: (random.uniform(16.0, 23.0), 0.01))
        truths(folder / "sky.csv", arguments.n, lambda: (40.0, 5.0))
        sets = {
            "the survey of the networks": ["--survey", "candels-f160w"],
            "Moffat PSF, FWHM 0.25 arcsec, beta 4.77": ["--survey", written("m25", psf=moffat.format(0.25, 4.77))],
            "Moffat PSF, FWHM 0.35 arcsec, beta 2.5": ["--survey", written("m35", psf=moffat.format(0.35, 2.5))],
            "companions (candels-f160w-crowded)": ["--survey", "candels-f160w-crowded"],
            "stars of magnitude 16 to 23": ["--truth", folder / "stars.csv"],
            "blank sky": ["--truth", folder / "sky.csv"],
        }
        print(f"{'':42}  all    repeats  held: " + ", ".join(PARAMETERS))
        for number, (name, options) in enumerate(sets.items()):
            stamps, found = folder / f"{number}.fits", folder / f"{number}.csv"
            count = [] if "--truth" in options else ["-n", arguments.n]
            legato("--seed", SEED + number, "simulate", *options, *count, "-o", stamps)
            scores = []
            for more in [[], ["--no-residuals"]]:
                legato("fit", stamps, "--models", arguments.models, *more, "-o", found)
                rows = table(found)
                scores.append(share(rows, lambda row: float(row["OOD"] or "nan") > LIMIT))
                found.unlink()
            held = ""
            if "--truth" not in options:
                report = folder / f"report-{number}"
                legato("evaluate", "--data", stamps, "--models", arguments.models, "-o", report)
                rows = [{key: float(value) for key, value in row.items()} for row in table(report / "predictions.csv")]

                def holds(row, key):
                    low, high = row[key] - row[f"{key}_ERR_LO"], row[key] + row[f"{key}_ERR_HI"]
                    return low <= row[f"{key}_TRUE"] <= high

                held = "  ".join(f"{share(rows, lambda row: holds(row, key)):.2f}" for key in PARAMETERS)
            print(f"{name:42}  {scores[0]:5.0%}  {scores[1]:7.0%}  {held}", flush=True)
        deeper(legato, folder, arguments.crowded)


if __name__ == "__main__":
    main()
