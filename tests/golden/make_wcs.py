"""What astropy makes of the corners, edges and inside of mosaics of 10,000² pixels: tests/golden/wcs.json.

Each case has the cards of a header and rows of x, y (FITS pixels), right ascension and declination (degrees), by
WCS(header).all_pix2world(…, 1).
"""
import json
import pathlib

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

SIDE = 10_000


def cards(projection="TAN", suffix="", crval=(150.1163, 2.2009), crpix=(5000.5, 5000.5), swapped=False, **more):
    axes = [("RA", crval[0]), ("DEC", crval[1])]
    if swapped:
        axes.reverse()
    header = {}
    for i, (name, value) in enumerate(axes, 1):
        header[f"CTYPE{i}"] = f"{name:-<4}-{projection}{suffix}"
        header[f"CRVAL{i}"] = value
        header[f"CRPIX{i}"] = crpix[i - 1]
    return header | more


def cd(scale, angle, flip=-1.0):
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return {"CD1_1": flip * scale * c, "CD1_2": scale * s, "CD2_1": -flip * scale * s, "CD2_2": scale * c}


fine, coarse = 0.06 / 3600, 0.2 / 3600
# Of the size and shape of those of HST/ACS's wide field camera.
sip = {"A_ORDER": 4, "B_ORDER": 4, "A_0_2": 2.1e-7, "A_1_1": -5.2e-7, "A_2_0": 8.5e-7, "A_0_3": -3.0e-13,
       "A_1_2": 2.2e-12, "A_2_1": -1.4e-12, "A_3_0": -2.6e-12, "A_2_2": 1.1e-16, "B_0_2": -7.2e-7, "B_1_1": 6.1e-7,
       "B_2_0": -1.7e-7, "B_0_3": 1.4e-12, "B_2_1": -5.3e-12, "B_1_2": 9.9e-13, "B_4_0": -4.0e-17}
cases = {
    "CD, rotated": cards(**cd(fine, 37.0)),
    "CD, not square": cards(CD1_1=-1.7e-5, CD1_2=2e-6, CD2_1=1e-6, CD2_2=1.5e-5, crpix=(-340.25, 12_345.75)),
    "one element of CD": cards(CD1_1=-1.7e-5, CD2_2=1.7e-5),
    "PC and CDELT": cards(CDELT1=-fine, CDELT2=fine, PC1_1=0.6, PC1_2=-0.8, PC2_1=0.8, PC2_2=0.6),
    "CDELT and CROTA2": cards(CDELT1=-fine, CDELT2=1.25 * fine, CROTA2=-25.0),
    "CDELT alone": cards(CDELT1=-fine, CDELT2=fine, crval=(0.01, -27.7)),
    "over 0 h": cards(crval=(359.99, 41.3), **cd(coarse, -120.0)),
    "a pole on the image": cards(crval=(83.0, 89.9), **cd(coarse, 10.0)),
    "the other pole": cards(crval=(283.0, -89.7), **cd(coarse, 10.0, flip=1.0)),
    "a pole as reference": cards(crval=(20.0, 90.0), **cd(coarse, 75.0)),
    "LONPOLE": cards(LONPOLE=150.0, LATPOLE=40.0, **cd(coarse, 0.0)),
    "declination first": cards(swapped=True, CD1_1=1e-6, CD1_2=fine, CD2_1=-fine, CD2_2=2e-6),
    "SIP": cards(suffix="-SIP", **cd(0.05 / 3600, 63.0), **sip),
    "SIP near a pole": cards(suffix="-SIP", crval=(83.0, 89.93), **cd(0.05 / 3600, 63.0), **sip),
} | {name: cards(name, crval=(201.0, -43.0), **cd(coarse, 15.0)) for name in ("SIN", "ARC", "STG", "ZEA")}

places = [(x, y) for x in (1.0, 2500.3, 5000.5, 7777.7, float(SIDE)) for y in (1.0, 3333.3, 5000.5, 6000.1, float(SIDE))]
found = []
for name, header in cases.items():
    sky = WCS(fits.Header(header)).all_pix2world(places, 1)
    rows = [[x, y, ra, dec] for (x, y), (ra, dec) in zip(places, sky[:, ::-1] if name.startswith("decl") else sky)]
    text = [f"{key:<8}= {value!r}" if isinstance(value, str) else f"{key:<8}= {float(value)!r}" for key, value in header.items()]
    found.append({"name": name, "cards": text, "rows": rows})
path = pathlib.Path(__file__).with_name("wcs.json")
path.write_text(json.dumps(found, separators=(",", ":")).replace('},{', '},\n{') + "\n")
