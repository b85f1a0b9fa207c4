"""Times burn's wgpu backend and legato on the paper's two networks, in turns in one run.

    python benches/peers/burn_rate.py [-o rates.json]

builds `benches/peers/burn` in a folder that is thrown away afterwards, which takes some minutes; `--target FOLDER`
keeps it for the next time. Both run the same networks in fp32 through wgpu on the same adapter, on stamps of 128×128
pixels that lie in its memory: `forward` is inference, `training` a step with dropout, noise, the mean absolute error,
the way back and Adam. burn has its autotuning and fusion on. It tunes in its warm-up, which takes many minutes on software
Vulkan; with `--target` it remembers.

On a machine with several adapters say the same one to both, such as `--device NVIDIA --burn-device discrete`.
"""

import contextlib
import itertools
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

from side_by_side import ROOT, Program, compare, hardware, legato, numbers, parser, show, write

PROJECT = ROOT / "benches" / "peers" / "burn"


def built(target):
    """burn's program, built into a folder."""
    command = ["cargo", "build", "--release", "--manifest-path", PROJECT / "Cargo.toml", "--target-dir", target]
    subprocess.run(command, check=True)
    return target / "release" / ("burn-rate.exe" if os.name == "nt" else "burn-rate")


def main():
    made = parser(__doc__)
    made.add_argument("--target", type=pathlib.Path, help="where burn is built and stays")
    made.add_argument("--burn-device", default="default", help="default, cpu, discrete or integrated")
    made.add_argument("--batch", type=numbers, default=[8], help="batches that both run")
    arguments = made.parse_args()
    with contextlib.ExitStack() as stack:
        # Where burn runs, too, since it leaves there what it has learned of its kernels.
        target = arguments.target or stack.enter_context(tempfile.TemporaryDirectory(prefix="burn-rate-"))
        target = pathlib.Path(target).resolve()
        program = built(target)
        ours = legato(arguments)
        theirs = Program([*arguments.launcher.split(), program, arguments.burn_device], target)
        if re.split(r" \(", ours.about["adapter"])[0] != re.split(r" \(", theirs.about["adapter"])[0]:
            sys.exit(f"not the same adapter: {ours.about['adapter']} and {theirs.about['adapter']}")
        about = {
            "hardware": hardware(),
            "legato": f"{ours.about['program']} on {ours.about['adapter']}",
            "burn": f"{theirs.about['program']} on {theirs.about['adapter']}",
            "measured": time.strftime("%Y-%m-%d"),
            "command": shlex.join(["burn_rate.py", *sys.argv[1:]]),
        }
        for key, value in about.items():
            print(f"{key}: {value}", flush=True)
        everyone, rows = {"legato": ours, "burn wgpu": theirs}, []
        for architecture, pass_name, batch in itertools.product(
            arguments.architectures, arguments.passes, arguments.batch
        ):
            batches = {name: batch for name in everyone}
            found = compare(everyone, architecture, pass_name, batches, arguments.repeats, arguments.seconds)
            show(found, f"architecture {architecture}, {pass_name}, batch {batch}")
            rows.extend(found)
            if arguments.output:
                write(arguments.output, about, rows)
        ours.close()
        theirs.close()


if __name__ == "__main__":
    main()
