"""Fits the parameters of the built-in F160W PSF (src/sky/psf/wfc3.rs) to empirical ones, and measures those.

    python tests/golden/fit_psf.py measure FILE...
    python tests/golden/fit_psf.py fit /path/to/WFC3_ir_F160W.dat FILE...

FILE: a PSF as a FITS image of 0.04 arcsec pixels. The filter's curve (nm, throughput) is the one GalSim has in
share/bandpasses. Needs numpy, scipy, astropy.

`measure` prints, of each file, the full width at half maximum of the azimuthal mean and the light within circles
about its centroid, as a part of all the light on the image: the figures in tests/psf.rs.

`fit` minimises the squared difference from all files at once, weighted by 0.5 + r/4 pixels so that the wings count,
over what the model leaves open (obscuration, width of the vanes, wavefront error, blur) and, for each file, its
position, its light and the angle of its spikes. It prints these, the differences, and the filter's bins.
"""

import sys

import numpy as np
from astropy.io import fits
from scipy.ndimage import map_coordinates
from scipy.optimize import brentq, least_squares

SCALE = 0.04  # arcsec per pixel of the files
RADIANS = np.pi / 180 / 3600  # of an arcsec
RADII = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.25, 1.5]  # arcsec

APERTURE = 2.4  # m
PIXEL = 0.128  # arcsec
NEIGHBOUR = 0.015  # of a pixel's signal, seen by each of its four neighbours
PIXFRAC = 0.8
CORRELATION = 0.1  # length over which the wavefront's error is alike, in diameters
OUTPUT = SCALE  # the files' own pixel; the model that ships has 0.06 here
START = [0.39, 0.066, 50e-9, 0.020]


def read(path):
    image = fits.getdata(path).astype(float)
    return image / image.sum()


def centroid(image):
    """As Psf::from_image: weighted by a Gaussian of 2.5 pixels that follows it."""
    row, column = np.unravel_index(image.argmax(), image.shape)
    y, x = np.indices(image.shape)
    for _ in range(50):
        weight = image * np.exp(-0.5 * ((x - column) ** 2 + (y - row) ** 2) / 2.5**2)
        column += 2 * (weight * (x - column)).sum() / weight.sum()
        row += 2 * (weight * (y - row)).sum() / weight.sum()
    return column, row


def azimuthal_mean(image, centre, radius, angles=64):
    """Mean over a circle (arcsec) of the image, interpolated as band-limited."""
    angle = 2 * np.pi * (np.arange(angles) + 0.5) / angles
    along = [c + radius / SCALE * f(angle) for c, f in zip(centre, (np.cos, np.sin))]
    x, y = (np.sinc(a[:, None] - np.arange(n)) for a, n in zip(along, image.shape[::-1]))
    return np.einsum("pi,ij,pj->p", y, image, x).mean()


def fwhm(image, centre):
    half = azimuthal_mean(image, centre, 0.0) / 2
    return 2 * brentq(lambda r: azimuthal_mean(image, centre, r) - half, 0.02, 0.3)


def encircled(image, centre, radii=RADII, step=0.005):
    """Light within circles, by the midpoint rule over the azimuthal mean."""
    middles = (np.arange(round(max(radii) / step)) + 0.5) * step
    rings = [azimuthal_mean(image, centre, r) / SCALE**2 * 2 * np.pi * r * step for r in middles]
    return np.interp(radii, np.append(0, middles + step / 2), np.append(0, np.cumsum(rings)))


def odd_part(image, centre):
    """Rms of what changes its sign on reflection in the centre, over the image's: no model without coma has it."""
    spectrum = np.fft.fft2(image)
    phases = [np.exp(2j * np.pi * np.fft.fftfreq(n) * c) for c, n in zip(centre, image.shape[::-1])]
    centred = spectrum * phases[0][None, :] * phases[1][:, None]
    return np.sqrt((centred.imag**2).sum() / (abs(centred) ** 2).sum())


def measure(paths):
    print("radius, arcsec: " + " ".join(f"{r:6.2f}" for r in RADII))
    for path in paths:
        image = read(path)
        centre = centroid(image)
        light = " ".join(f"{e:.4f}" for e in encircled(image, centre))
        print(f"{path}: centre {centre[0]:.3f} {centre[1]:.3f}, FWHM {fwhm(image, centre):.4f}")
        print(f"    light within: {light}")
        print(f"    odd part {odd_part(image, centre):.4f} of the rms")


def bins(curve, first=1380.0, last=1700.0, width=20.0):
    """The filter as mean throughputs in bins of wavelength, nm; weights of a source of equal photons at each."""
    nm, throughput = np.loadtxt(curve).T
    edges = np.arange(first, last + 1, width)
    fine = np.linspace(0, 1, 201)
    means = [np.interp(a + fine * (b - a), nm, throughput).mean() for a, b in zip(edges, edges[1:])]
    return (edges[1:] + edges[:-1]) / 2, np.array(means)


def pupil_autocorrelation(obscuration, vane, size=512, parts=4):
    """The aperture's overlap with itself, over lags in steps of 4/size radii; 1 at lag 0, the middle."""
    step = 4 / size
    fine = ((np.arange(size * parts) + 0.5) / parts - size / 2) * step
    x, y = fine[None, :], fine[:, None]
    r2 = x * x + y * y
    clear = (r2 <= 1) & (r2 >= obscuration**2) & (abs(x) > vane / 2) & (abs(y) > vane / 2)
    pupil = clear.reshape(size, parts, size, parts).mean(axis=(1, 3))
    overlap = np.fft.fftshift(np.fft.ifft2(abs(np.fft.fft2(pupil)) ** 2).real)
    overlap /= pupil.sum()
    overlap[size // 2, size // 2] = 1  # half-open cells overlap themselves too little
    return overlap, step


def transfer(parameters, spikes, wavelengths, weights, fx, fy):
    """At frequencies in cycles per arcsec; `spikes` is the angle of one of them, the detector being at 45 degrees."""
    obscuration, vane, wavefront, blur = parameters
    table, step = pupil_autocorrelation(obscuration, vane)
    middle = table.shape[0] // 2

    def turned(angle):
        return np.cos(angle) * fx + np.sin(angle) * fy, np.cos(angle) * fy - np.sin(angle) * fx

    u, v = turned(spikes)
    f = np.hypot(fx, fy)
    optics = 0
    for wavelength, weight in zip(wavelengths * 1e-9, weights / weights.sum()):
        lag = wavelength / RADIANS / (APERTURE / 2) / step
        overlap = map_coordinates(table, [v * lag + middle, u * lag + middle], order=1)
        alike = np.exp(-((f * wavelength / RADIANS / APERTURE / CORRELATION) ** 2))
        optics += weight * overlap * np.exp(-((2 * np.pi * wavefront / wavelength) ** 2) * (1 - alike))
    x, y = turned(spikes + np.pi / 4)
    detector = np.sinc(x * PIXEL) * np.sinc(y * PIXEL)
    detector *= 1 - 4 * NEIGHBOUR + 2 * NEIGHBOUR * (np.cos(2 * np.pi * PIXEL * x) + np.cos(2 * np.pi * PIXEL * y))
    drizzle = np.sinc(x * PIXEL * PIXFRAC) * np.sinc(y * PIXEL * PIXFRAC) * np.sinc(fx * OUTPUT) * np.sinc(fy * OUTPUT)
    return optics * detector * drizzle * np.exp(-2 * (np.pi * blur * f) ** 2)


def fit(curve, paths):
    wavelengths, weights = bins(curve)
    print("filter:", " ".join(f"{w:.0f}: {t:.4f}" for w, t in zip(wavelengths, weights)))
    images = [read(path) for path in paths]
    size = images[0].shape[0]
    wide = 512  # pixels of the periodic box the model is made in
    f = np.fft.fftfreq(wide, SCALE)
    fx, fy = np.meshgrid(f, f)
    passes = np.hypot(fx, fy) < 8.5
    y, x = np.indices(images[0].shape)

    def models(p):
        for i in range(len(images)):
            dx, dy, spikes = p[4 + 3 * i : 7 + 3 * i]
            values = np.zeros(fx.shape, complex)
            values[passes] = transfer(p[:4], spikes, wavelengths, weights, fx[passes], fy[passes])
            shifted = np.fft.ifft2(values * np.exp(-2j * np.pi * SCALE * (fx * dx + fy * dy))).real
            low = wide // 2 - size // 2
            model = np.fft.fftshift(shifted)[low : low + size, low : low + size]
            yield model / model.sum()

    def residual(p):
        out = []
        for i, (image, model) in enumerate(zip(images, models(p))):
            r = np.hypot(x - size // 2 - p[4 + 3 * i], y - size // 2 - p[5 + 3 * i])
            out.append(((model - image) / image.max() * np.sqrt(0.5 + r / 4)).ravel())
        return np.concatenate(out)

    centres = [centroid(image) for image in images]
    start = START + [v for c in centres for v in (c[0] - size // 2, c[1] - size // 2, np.radians(60))]
    scales = [0.03, 0.02, 20e-9, 0.01] + [0.1, 0.1, 0.3] * len(images)
    found = least_squares(residual, start, x_scale=scales, diff_step=1e-3)
    p = found.x
    print(f"obscuration {p[0]:.4f}, vanes {p[1]:.4f} radii, wavefront {p[2] * 1e9:.1f} nm, blur {p[3]:.4f} arcsec")
    for i, (path, image, model) in enumerate(zip(paths, images, models(p))):
        at = centroid(model)
        light = encircled(model, at) - encircled(image, centres[i])
        print(f"{path}: spikes at {np.degrees(p[6 + 3 * i]) % 90:.1f} degrees")
        print(f"    FWHM {fwhm(image, centres[i]):.4f}, the model's {fwhm(model, at):.4f}")
        print("    light within, model less file: " + " ".join(f"{e:+.4f}" for e in light))
        rms = np.sqrt(((model - image) ** 2).sum() / (image**2).sum())
        print(f"    rms difference {rms:.4f} of the rms, largest {abs(model - image).max() / image.max():.4f} of the peak")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "measure":
        measure(sys.argv[2:])
    elif len(sys.argv) > 3 and sys.argv[1] == "fit":
        fit(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)
