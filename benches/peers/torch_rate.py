"""Times PyTorch and legato on the paper's two networks, in turns in one run.

    python benches/peers/torch_rate.py [--install] [-o rates.json]

is all that a machine needs that has Rust and a Python with torch; with `--install`, torch goes into a new environment
that is thrown away afterwards. Both run the same networks on stamps of 128×128 pixels that lie in the device's memory:
`forward` is inference, `training` a step with dropout, noise, the mean absolute error, the way back and Adam. Compared
are batches of 64 and, unless `--batches` is empty, each side's best of those.

On a GPU, PyTorch runs in fp32 and TF32, eagerly and compiled, with channels first and last; where there is no CUDA, on
the processor in fp32, eagerly (`--compile` adds compiled), with channels first and last. legato runs in fp32 on the
adapter that `--device` names, which on a machine without a GPU is the same processor.
"""

import contextlib
import itertools
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time
import warnings

from side_by_side import Refused, best_batch, compare, hardware, legato, numbers, parser, show, write

SIDE, SIGMA, NOISE, DROPOUT = 128, 0.0032, 0.01, 0.15
# Per block the kernel's side and the width of its two convolutions; then what follows the block while training.
BLOCKS = {
    1: [(4, 16, "dropout"), (4, 32, "dropout"), (3, 64, ""), (2, 128, "")],
    2: [(4, 16, "dropout, noise"), (3, 64, ""), (2, 64, "")],
}
NOISE_FIRST = {1: True, 2: False}


def install(arguments):
    """Runs this script with a torch of its own, in an environment that does not outlast it."""
    with tempfile.TemporaryDirectory(prefix="torch-rate-") as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = pathlib.Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        subprocess.run([python, "-m", "pip", "install", "-q", "torch", "numpy"], check=True)
        words = [word for word in sys.argv[1:] if word != "--install"]
        return subprocess.run([python, __file__, *words]).returncode


def build(torch, architecture):
    """The network, as `src/legato/presets.rs` has it."""
    nn = torch.nn

    class Stretch(nn.Module):
        def forward(self, x):
            return torch.asinh(x * (1.0 / (3.0 * SIGMA))) * (1.0 / 3.0)

    class Noise(nn.Module):
        def forward(self, x):
            return x + NOISE * torch.randn_like(x) if self.training else x

    layers, channels = [Stretch()] + [Noise()] * NOISE_FIRST[architecture], 1
    for kernel, width, after in BLOCKS[architecture]:
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, kernel, padding="same"), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
        layers += [nn.Dropout(DROPOUT)] * ("dropout" in after) + [Noise()] * ("noise" in after)
    side = SIDE >> len(BLOCKS[architecture])
    layers += [nn.Flatten(), nn.Linear(channels * side * side, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 1))


class Torch:
    """PyTorch in one of its variants."""

    def __init__(self, torch, device, tf32, compiled, last):
        self.torch, self.device, self.tf32, self.compiled, self.last = torch, device, tf32, compiled, last
        self.ready = (None, None)
        kinds = ["TF32" if tf32 else "fp32", "compiled" if compiled else "eager", "NHWC" if last else "NCHW"]
        self.name = "PyTorch " + " ".join(kinds)

    def forget(self):
        """Gives memory back, so that the next in turn finds it."""
        self.ready = (None, None)
        if self.compiled:
            self.torch._dynamo.reset()
        if self.device == "cuda":
            self.torch.cuda.empty_cache()

    def wait(self):
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def prepare(self, architecture, pass_name, batch):
        torch = self.torch
        layout = torch.channels_last if self.last else torch.contiguous_format
        torch.manual_seed(1)
        network = build(torch, architecture).to(self.device, memory_format=layout).train(pass_name == "training")
        stamps = (torch.rand(batch, 1, SIDE, SIDE, device=self.device) * 0.1 - 0.05).contiguous(memory_format=layout)
        targets = torch.full((batch, 1), 0.5, device=self.device)
        # Whole or not at all, and for this batch alone: what PyTorch would fall back to is another variant.
        run = torch.compile(network, fullgraph=True, dynamic=False) if self.compiled else network
        if pass_name == "forward":
            def step():
                with torch.inference_mode():
                    return run(stamps)
        else:
            adam = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

            def step():
                adam.zero_grad(set_to_none=True)
                (run(stamps) - targets).abs().mean().backward()
                adam.step()
        return step

    def seconds(self, architecture, pass_name, batch, steps):
        torch, wanted = self.torch, (architecture, pass_name, batch)
        torch.backends.cuda.matmul.allow_tf32 = self.tf32
        torch.backends.cudnn.allow_tf32 = self.tf32
        torch.backends.cudnn.benchmark = True
        try:
            if self.ready[0] != wanted:
                self.ready = (None, None)
                step = self.prepare(*wanted)
                # The first compiles and chooses algorithms, the second finds memory laid out.
                for _ in range(3):
                    step()
                self.ready = (wanted, step)
            step = self.ready[1]
            self.wait()
            started = time.perf_counter()
            for _ in range(steps):
                step()
            self.wait()
            return time.perf_counter() - started
        except torch.cuda.OutOfMemoryError as error:
            # Not all that `forget` does: the other variants' compiled networks stay.
            self.ready = (None, None)
            torch.cuda.empty_cache()
            raise Refused(str(error).splitlines()[0]) from None


def variants(torch, cuda, compiled):
    ways = itertools.product((False, True) if cuda else (False,), (False, True) if cuda or compiled else (False,))
    for (tf32, compile_it), last in itertools.product(ways, (False, True)):
        yield Torch(torch, "cuda" if cuda else "cpu", tf32, compile_it, last)


def main():
    made = parser(__doc__)
    made.add_argument("--install", action="store_true", help="install torch into a throw-away environment and use that")
    made.add_argument("--cpu", action="store_true", help="PyTorch on the processor, even where there is CUDA")
    made.add_argument("--compile", action="store_true", help="compiled variants on the processor, too")
    made.add_argument("--batch", type=numbers, default=[64], help="batches that both run")
    made.add_argument("--batches", type=numbers, help="batches among which each side's best is looked for")
    arguments = made.parse_args()
    if arguments.install:
        sys.exit(install(arguments))
    try:
        import torch
    except ImportError:
        sys.exit("this Python has no torch: install it, or give --install")
    # It copies the input to pad it for the even kernels, and says so once a process.
    warnings.filterwarnings("ignore", message="Using padding='same'")
    cuda = torch.cuda.is_available() and not arguments.cpu
    if arguments.batches is None:
        arguments.batches = [64, 128, 256, 512, 1024] if cuda else [8, 16, 32, 64, 128]
    ours = legato(arguments)
    about = {
        "hardware": hardware(),
        "legato": f"{ours.about['program']} on {ours.about['adapter']}",
        "torch": f"{torch.__version__} on " + (torch.cuda.get_device_name() if cuda else f"{torch.get_num_threads()} threads"),
        "measured": time.strftime("%Y-%m-%d"),
        "command": shlex.join(["torch_rate.py", *sys.argv[1:]]),
    }
    if cuda:
        about["torch"] += f", CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    for key, value in about.items():
        print(f"{key}: {value}", flush=True)
    peers = {variant.name: variant for variant in variants(torch, cuda, arguments.compile)}
    everyone, rows = {"legato": ours, **peers}, []
    for architecture, pass_name in itertools.product(arguments.architectures, arguments.passes):
        def measure(batches, title):
            found = compare(everyone, architecture, pass_name, batches, arguments.repeats, arguments.seconds)
            show(found, f"architecture {architecture}, {pass_name}, {title}")
            rows.extend(found)

        for batch in arguments.batch:
            measure({name: batch for name in everyone}, f"batch {batch}")
        if arguments.batches:
            best = {}
            for name, competitor in everyone.items():
                with contextlib.suppress(Refused):
                    best[name] = best_batch(competitor, architecture, pass_name, arguments.batches, arguments.seconds / 2)
            measure(best, "each at its best batch")
        if arguments.output:
            write(arguments.output, about, rows)
    ours.close()


if __name__ == "__main__":
    main()
