"""What the scripts that time legato's networks beside another program's share: both take turns in one run, and what is
compared is the medians of their repeats.

A competitor is anything with `seconds(architecture, pass_name, batch, steps)`, which may raise `Refused`, and
`forget()`, which gives back the memory of what it ran last.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSES = ("forward", "training")
FIELDS = ("architecture", "pass", "batch", "name", "images_per_second", "lowest", "highest", "repeats")
# A CPU's threads wait for more work for a while before they sleep; the next in turn should not have to share with them.
PAUSE = 0.5


class Refused(Exception):
    """A configuration that a competitor cannot run, with the reason."""


class Program:
    """A program that answers lines `ARCHITECTURE PASS BATCH STEPS` with `{"seconds": …}`."""

    def __init__(self, command, folder=None):
        self.command, self.folder = [str(word) for word in command], folder
        self.start()

    def start(self):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, cwd=self.folder, text=True)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Refused(f"{self.command[0]} ended with status {self.process.wait()}")
        return json.loads(line)

    def seconds(self, architecture, pass_name, batch, steps):
        if self.process.poll() is not None:
            self.start()
        try:
            self.process.stdin.write(f"{architecture} {pass_name} {batch} {steps}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer()["seconds"]

    def forget(self):
        """It lets go of a network when it is asked for another."""

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def legato(arguments):
    """The example `rate`, built unless it was given."""
    path = arguments.rate
    if path is None:
        subprocess.run(["cargo", "build", "--release", "--example", "rate"], cwd=ROOT, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        path = target / "release" / "examples" / ("rate.exe" if os.name == "nt" else "rate")
    words = [*arguments.launcher.split(), path, arguments.device]
    return Program(words + ["unchecked"] * arguments.unchecked)


def parser(description):
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--architectures", type=numbers, default=[1, 2], help="1, 2 or 1,2")
    made.add_argument("--passes", type=lambda text: text.split(","), default=list(PASSES), help="forward, training or both")
    made.add_argument("--repeats", type=int, default=5, help="of each competitor in turn")
    made.add_argument("--seconds", type=float, default=2.0, help="that a repeat should last, at least one step")
    made.add_argument("--device", default="auto", help="legato's adapter")
    made.add_argument("--unchecked", action="store_true", help="legato's kernels without run-time checks")
    made.add_argument("--rate", type=pathlib.Path, help="a built examples/rate of legato [default: build it]")
    made.add_argument("--launcher", default="", help="a command that the programs are started through")
    made.add_argument("-o", "--output", type=pathlib.Path, help="also write the figures as JSON, or as CSV by ending")
    return made


def numbers(text):
    return [int(word) for word in text.split(",") if word]


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def hardware():
    return f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def steps_for(competitor, configuration, seconds):
    """How many steps last about so long; as a side effect the competitor is warm."""
    steps = 1
    while (took := competitor.seconds(*configuration, steps)) < seconds / 4:
        steps = max(2 * steps, int(steps * seconds / 2 / max(took, 1e-6)))
    return max(1, round(steps * seconds / took))


def best_batch(competitor, architecture, pass_name, batches, seconds):
    """Of these batches the fastest, by one repeat each; larger ones are not tried once one is refused."""
    rates = {}
    for batch in batches:
        try:
            steps = steps_for(competitor, (architecture, pass_name, batch), seconds)
            rates[batch] = batch * steps / competitor.seconds(architecture, pass_name, batch, steps)
        except Refused as reason:
            print(f"  batch {batch} and above: {reason}", file=sys.stderr)
            break
    competitor.forget()
    if not rates:
        raise Refused("no batch fits")
    return max(rates, key=rates.get)


def compare(competitors, architecture, pass_name, batches, repeats, seconds):
    """Rows for competitors, each at its batch, that take turns; the first is legato."""
    runs = {}
    for name, competitor in competitors.items():
        if batches.get(name) is None:
            continue
        configuration = (architecture, pass_name, batches[name])
        try:
            runs[name] = (competitor, configuration, steps_for(competitor, configuration, seconds), [])
        except Refused as reason:
            print(f"  {name}: {reason}", file=sys.stderr)
    for _ in range(repeats):
        for competitor, configuration, steps, rates in runs.values():
            time.sleep(PAUSE)
            rates.append(configuration[2] * steps / competitor.seconds(*configuration, steps))
    rows = []
    for name, (competitor, configuration, _, rates) in runs.items():
        competitor.forget()
        figures = (statistics.median(rates), min(rates), max(rates), len(rates))
        rows.append(dict(zip(FIELDS, (architecture, pass_name, configuration[2], name, *figures))))
    return rows


def show(rows, title):
    """Prints the rows of one comparison, with legato's rate over each."""
    print(f"\n{title}")
    ours = rows[0]["images_per_second"] if rows and rows[0]["name"] == "legato" else None
    for row in rows:
        rate, spread = row["images_per_second"], f"{row['lowest']:.4g}–{row['highest']:.4g}"
        row["ratio"] = ours / rate if ours else None
        ratio = "" if row["name"] == "legato" or not ours else f"  legato / it = {row['ratio']:.2f}"
        print(f"  {row['name']:34} batch {row['batch']:5}  {rate:10.4g} images/s ({spread}){ratio}", flush=True)


def write(path, about, rows):
    """The figures and what they were measured on: CSV with the latter as comments, else JSON."""
    unfinished = path.with_name(path.name + ".unfinished")
    with open(unfinished, "w", newline="") as file:
        if path.suffix == ".csv":
            file.writelines(f"# {key}: {value}\n" for key, value in about.items())
            table = csv.DictWriter(file, [*FIELDS, "ratio"])
            table.writeheader()
            table.writerows(rows)
        else:
            json.dump({**about, "rows": rows}, file, indent=1)
            file.write("\n")
    unfinished.replace(path)
