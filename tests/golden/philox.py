"""The numbers of `src/rng.rs` in numpy: Philox 4x32-10 with counter (block low, block high, sub, stream)
and key (seed low, seed high). The golden scripts draw everything from here, so the Rust tests can draw
the same numbers and no weights need to be stored."""

import numpy as np

SEED = 2018
STREAM_TEST = 8  # `Stream::Test`
MASK = np.uint64(0xFFFFFFFF)
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)

# Counter, key and result, as the Philox authors publish them (Random123, `kat_vectors`).
KNOWN_ANSWERS = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


def philox(counter, key):
    """Ten rounds over `counter`, four u64 arrays that hold 32-bit words; returns [blocks, 4]."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1, c2, c3 = (p1 >> np.uint64(32)) ^ c1 ^ k0, p1 & MASK, (p0 >> np.uint64(32)) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return np.stack([c0, c1, c2, c3], axis=1)


def units(count, sub, seed=SEED, stream=STREAM_TEST):
    """The first `count` uniform numbers in [0, 1) of a sub-stream, f64 holding 24 random bits each."""
    block = np.arange((count + 3) // 4, dtype=np.uint64)
    counter = block & MASK, block >> np.uint64(32), np.full_like(block, sub), np.full_like(block, stream)
    words = philox(counter, (np.uint64(seed) & MASK, np.uint64(seed) >> np.uint64(32)))
    return (words.reshape(-1)[:count] >> np.uint64(8)).astype(np.float64) / 2**24


def symmetric(shape, sub, limit):
    """Numbers in [-limit, limit) in flat (C) order: (2u - 1) * limit in f64, rounded once to f32."""
    values = (2.0 * units(int(np.prod(shape)), sub) - 1.0) * limit
    return values.astype(np.float32).reshape(shape)


def check_known_answers():
    for counter, key, expected in KNOWN_ANSWERS:
        words = philox([np.array([c], np.uint64) for c in counter], [np.uint64(k) for k in key])
        assert words[0].tolist() == expected, "this Philox is not the published one"


check_known_answers()
