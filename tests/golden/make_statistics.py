"""What NumPy, SciPy and Matplotlib make of small samples: tests/golden/statistics.json.

Statistics of estimates f of true values y (R², median error, normalised MAD, share beyond five of it), and the box plot
of the errors f − y. What is not defined is null.
"""
import json
import pathlib

import numpy as np
from matplotlib.cbook import boxplot_stats
from scipy.stats import median_abs_deviation

rng = np.random.default_rng(2018)


def case(name, y, f):
    y, f = np.asarray(y, float), np.asarray(f, float)
    errors = f - y
    spread = np.sum((y - y.mean()) ** 2)
    scatter = median_abs_deviation(errors, scale="normal")
    box = boxplot_stats(errors)[0]
    return {
        "name": name,
        "truth": y.tolist(),
        "estimate": f.tolist(),
        "r2": float(1 - np.sum((y - f) ** 2) / spread) if spread > 0 else None,
        "bias": float(np.median(errors)),
        "scatter": float(scatter),
        "outliers": float(np.mean(np.abs(errors - np.median(errors)) > 5 * scatter)),
        "deciles": np.quantile(errors, np.arange(11) / 10).tolist(),
        "box": [float(box[key]) for key in ("whislo", "q1", "med", "q3", "whishi")],
        "fliers": sorted(float(v) for v in box["fliers"]),
    }


def gaussian(n):
    y = rng.uniform(16, 23, n)
    return y, y + rng.normal(0.02, 0.05, n)


cases = [case(f"{n} galaxies", *gaussian(n)) for n in (1, 2, 3, 4, 5, 6, 7, 100)]
y, f = gaussian(101)
f[::9] += rng.standard_cauchy(12)
cases.append(case("wild estimates", y, f))
y = rng.integers(0, 4, 50).astype(float)
cases.append(case("ties", y, y + 0.25 * rng.integers(-1, 2, 50)))
cases.append(case("mostly exact", np.arange(20.0), np.arange(20.0) + (np.arange(20) == 7)))
cases.append(case("no spread in the truth", [2.0] * 5, [1.0, 2.0, 2.5, 3.0, 9.0]))
# The upper quartile lies between 3 and 100, and no value between it and the end of its reach.
cases.append(case("a whisker that would enter the box", [0.0] * 4, [1.0, 2.0, 3.0, 100.0]))
path = pathlib.Path(__file__).with_name("statistics.json")
path.write_text(json.dumps(cases, ensure_ascii=False, indent=None, separators=(",", ":")).replace("},{", "},\n{") + "\n")
