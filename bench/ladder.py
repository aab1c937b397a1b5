#!/usr/bin/env python3
"""Measures what a ladder costs and delays, beside a plain ffmpeg that makes the same one, and writes docs/benchmarks-ladder.md.

usage: bench/ladder.py [--quick] [--runs N]
"""

import argparse
import json
import pathlib
import re
import signal
import statistics
import subprocess
import time
import urllib.request

import measure
import meter
import report
from parts import watch
from run import make_source
from servers import GENERATOR_CPU, ROOT, SERVER_CPU, Headwater, bound_to

PAGE = ROOT / "docs/benchmarks-ladder.md"
# The source is the best quality as it is: 720p.
BESIDE_SOURCE = [(480, 1_000_000), (240, 300_000)]
ALL = [(720, 2_000_000), *BESIDE_SOURCE]
# More than a core can encode, so that the encoders take all that is left of it.
STREAMS, HEAVY = 2, [(720, 2_000_000), (700, 2_000_000), (680, 2_000_000), (660, 1_900_000), (640, 1_800_000)]


class WithLadder(Headwater):
    def __init__(self, rungs):
        self.rungs = rungs

    def configure(self):
        super().configure()
        path = self.work / "headwater.toml"
        rungs = ",\n".join(f"  {{ size = {size}, bitrate = {bitrate} }}" for size, bitrate in self.rungs)
        preset = f'\n[transcode.presets.bench]\nspeed = "superfast"\nrungs = [\n{rungs}\n]\n' if self.rungs else ""
        name = "bench" if self.rungs else "off"
        asked = f'ladder = "{name}"\ntranscode.cpu_budget = "64"'
        path.write_text(path.read_text().replace('ladder = "off"', asked) + preset)

    def children(self):
        return [pid for pid in meter.family(self.process.pid) if pid != self.process.pid]


def publish(server, number=0):
    """The clip again and again, as it is, at the speed of its clock."""
    command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", measure.SOURCE, "-c", "copy", "-f", "flv"]
    return subprocess.Popen([*command, server.rtmp().replace("{i}", str(number))], preexec_fn=bound_to(GENERATOR_CPU))


def names(server):
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/live/s-0.m3u8", timeout=10) as answer:
                found = re.findall(r"^[^#\n].*/video.*\.m3u8$", answer.read().decode(), re.M)
                if len(found) > len(server.rungs):
                    return found
        except urllib.error.URLError:
            pass
        time.sleep(0.05)
    raise RuntimeError("no ladder is listed")


def delays(source, rungs):
    """How much later than the source's each part of a rung is there, in milliseconds."""
    found = [1e3 * (rung.seen[part] - source.seen[part]) for rung in rungs for part in source.seen.keys() & rung.seen.keys()]
    return statistics.median(found) if found else None


def ladder(server, seconds):
    publisher = publish(server)
    began = time.monotonic()
    try:
        paths = names(server)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/live/{paths[-1]}", timeout=20) as answer:
            playlist = answer.read().decode()
        start = time.monotonic() - began
        measure.require("#EXT-X-PART:" in playlist or "#EXTINF" in playlist, "the rung has no part")
        time.sleep(4)
        children = server.children()
        line = pathlib.Path(f"/proc/{children[0]}/cmdline").read_bytes().decode().split("\0")[:-1]
        span, child = meter.Span(server.pids()), meter.Span(children)
        time.sleep(seconds)
        (wall, total), (_, encoding) = span.end(), child.end()
        # Not in what is counted: the viewers who look.
        source, *rungs = watch(server, paths, seconds / 2)
        figures = {
            "start_s": start,
            "delay_ms": delays(source, rungs),
            "total_ms": 1e3 * total / wall,
            "child_ms": 1e3 * encoding / wall,
        }
    finally:
        publisher.kill()
        publisher.wait()
    return figures, line


def beside(server, seconds):
    """What the sources of several streams see, and what the server takes without its encoders."""
    publishers = [publish(server, number) for number in range(STREAMS)]
    try:
        paths = names(server)
        time.sleep(6)
        span, nice = meter.Span([server.process.pid]), meter.nice_seconds(SERVER_CPU)
        [source] = watch(server, paths[:1], seconds)
        (wall, cpu), encoding = span.end(), meter.nice_seconds(SERVER_CPU) - nice
    finally:
        for publisher in publishers:
            publisher.kill()
            publisher.wait()
    ages = sorted(source.ages)
    return {
        "age_p50_ms": statistics.median(ages),
        "age_p99_ms": ages[int(0.99 * (len(ages) - 1))],
        "server_ms": 1e3 * cpu / wall,
        "encoders_ms": 1e3 * encoding / wall,
    }


def plain(line, seconds):
    """The child's own arguments, with the clip for its input and nothing for its outputs."""
    words = line[line.index(next(word for word in line if word.endswith("ffmpeg"))) :]
    place = words.index("pipe:0")
    before = words[:place]
    drop = {"-probesize", "-analyzeduration", "-protocol_whitelist", "-f"}
    kept, skip = [], False
    for word in before:
        if skip:
            skip = False
        elif word in drop:
            skip = True
        else:
            kept.append(word)
    after = ["/dev/null" if re.fullmatch(r"pipe:\d+", word) else word for word in words[place + 1 :]]
    head = kept[:-1] + ["-y", "-re", "-stream_loop", "-1", "-i", str(measure.SOURCE)]
    process = subprocess.Popen(head + after, preexec_fn=bound_to(SERVER_CPU), stdin=subprocess.DEVNULL)
    try:
        time.sleep(5)
        span = meter.Span([process.pid])
        time.sleep(seconds)
        wall, cpu = span.end()
        measure.require(process.poll() is None, "the plain ffmpeg ended")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return {"plain_ms": 1e3 * cpu / wall}


ROWS = [
    ("processor time: server and encoder", "total_ms", "ms per second", "plain ffmpeg + 5 %"),
    ("the encoder alone", "child_ms", "ms per second", "–"),
    ("plain ffmpeg, the same rungs", "plain_ms", "ms per second", "–"),
    ("all of it in percent of plain ffmpeg", "percent", "%", "105"),
    ("a rung's part after the source's, median", "delay_ms", "ms", "150, aim at 67"),
    ("publishing to the first part of the last rung", "start_s", "s", "1.5"),
]
BESIDE = [
    ("age of a source part's newest frame, p50", "age_p50_ms", "ms"),
    ("the same, p99", "age_p99_ms", "ms"),
    ("the server without its encoders", "server_ms", "ms per second"),
    ("the encoders", "encoders_ms", "ms per second"),
]
LADDERS = {"720p as it is, 480p, 240p": BESIDE_SOURCE, "720p, 480p, 240p, all encoded": ALL}
NEIGHBOURS = {"no ladder": [], "480p, 240p": BESIDE_SOURCE, "all that is left of the core": HEAVY}


def table(records, rows, columns, last=()):
    lines = ["| figure | | " + " | ".join([*columns, *last]) + " |", "|---" * (2 + len(columns) + len(last)) + "|"]
    for label, name, unit, *wanted in rows:
        digits = 2 if unit == "s" else 1
        cells = [report.cell(records, column, name, digits) for column in columns]
        lines.append(f"| {label} | {unit} | " + " | ".join([*cells, *wanted]) + " |")
    return "\n".join(lines)


def one_run(number, seconds):
    for name, rungs in LADDERS.items():
        with WithLadder(rungs) as server:
            figures, line = ladder(server, seconds)
        figures |= plain(line, seconds)
        figures["percent"] = 100 * figures["total_ms"] / figures["plain_ms"]
        yield {"run": number, "server": name, **figures}
    for name, rungs in NEIGHBOURS.items():
        with WithLadder(rungs) as server:
            yield {"run": number, "server": name, **beside(server, seconds)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    runs, seconds = (1, 6) if options.quick else (options.runs, 20)
    make_source()
    records = []
    for number in range(runs):
        for record in one_run(number, seconds):
            records.append(record)
            print(json.dumps(record), flush=True)
    cost = table(records, ROWS, LADDERS, ["wanted"])
    neighbours = table(records, BESIDE, NEIGHBOURS)
    print(cost, neighbours, sep="\n\n")
    if not options.quick:
        head = (ROOT / "bench/ladder.head.md").read_text()
        about = f"Measured on {report.machine()}, at {report.commit()}; {report.how_often(runs)}."
        sources = f"## What the sources of {STREAMS} streams see beside their encoders"
        PAGE.write_text(f"{head}\n{about}\n\n{cost}\n\n{sources}\n\n{neighbours}\n")


if __name__ == "__main__":
    main()
