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
import threading
import time
import urllib.request

import measure
import meter
import report
from run import make_source
from servers import GENERATOR_CPU, ROOT, SERVER_CPU, Headwater, bound_to

PAGE = ROOT / "docs/benchmarks-ladder.md"
# Beside the source, which is the best quality as it is: 720p.
RUNGS = [(480, 1_000_000), (240, 300_000)]


class WithLadder(Headwater):
    name = "with a ladder"
    preset = "bench"

    def configure(self):
        super().configure()
        path = self.work / "headwater.toml"
        path.write_text(path.read_text().replace('ladder = "off"', f'ladder = "{self.preset}"\ntranscode.cpu_budget = "64"'))
        with open(path, "a") as file:
            if self.preset != "off":
                rungs = ",\n".join(
                    f"  {{ size = {size}, bitrate = {bitrate} }}" for size, bitrate in RUNGS
                )
                file.write(f'\n[transcode.presets.bench]\nspeed = "superfast"\nrungs = [\n{rungs}\n]\n')

    def children(self):
        return [pid for pid in meter.family(self.process.pid) if pid != self.process.pid]


class Without(WithLadder):
    name = "without"
    preset = "off"


def publish(server):
    """The clip again and again, as it is, at the speed of its clock."""
    command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", measure.SOURCE, "-c", "copy", "-f", "flv"]
    return subprocess.Popen([*command, server.rtmp().replace("{i}", "0")], preexec_fn=bound_to(GENERATOR_CPU))


class Playlist(threading.Thread):
    """Asks for each part of a playlist before it is there, and notes when it is."""

    def __init__(self, server, path, until):
        super().__init__(daemon=True)
        self.base = f"http://127.0.0.1:{server.http_port}/live/"
        self.path, self.until, self.seen = path, until, {}

    def run(self):
        query = ""
        while time.monotonic() < self.until:
            try:
                with urllib.request.urlopen(self.base + self.path + query, timeout=10) as answer:
                    text = answer.read().decode()
            except urllib.error.HTTPError:
                time.sleep(0.05)
                continue
            now = time.monotonic()
            first = int(re.search(r"MEDIA-SEQUENCE:(\d+)", text).group(1))
            whole = first + len(re.findall(r"^#EXTINF", text, re.M))
            tail = text.rsplit("#EXTINF", 1)[-1]
            parts = tail.count("#EXT-X-PART:")
            self.seen.setdefault((whole, parts), now)
            query = f"?_HLS_msn={whole}&_HLS_part={parts}"


def names(server):
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/live/s-0.m3u8", timeout=10) as answer:
                found = re.findall(r"^[^#\n].*\.m3u8$", answer.read().decode(), re.M)
                if len(found) > 1 or server.preset == "off":
                    return found
        except urllib.error.URLError:
            pass
        time.sleep(0.05)
    raise RuntimeError("no ladder is listed")


def delays(server, paths, seconds):
    """How much later than the source's each part of a rung is there, in milliseconds."""
    until = time.monotonic() + seconds
    threads = [Playlist(server, path, until) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 15)
    source, *rungs = threads
    found = []
    for rung in rungs:
        both = source.seen.keys() & rung.seen.keys()
        later = sorted(1e3 * (rung.seen[part] - source.seen[part]) for part in both)
        # Those of the beginning were there before anybody asked.
        found += later[len(later) // 10 :]
    return statistics.median(found) if found else None


def ladder(server, seconds):
    publisher = publish(server)
    began = time.monotonic()
    try:
        paths = names(server)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/live/{paths[-1]}", timeout=20) as answer:
            require_parts = answer.read().decode()
        start = time.monotonic() - began
        measure.require("#EXT-X-PART:" in require_parts or "#EXTINF" in require_parts, "the rung has no part")
        time.sleep(4)
        children = server.children()
        line = pathlib.Path(f"/proc/{children[0]}/cmdline").read_bytes().decode().split("\0")[:-1]
        span, child = meter.Span(server.pids()), meter.Span(children)
        delay = delays(server, paths, seconds)
        wall, total = span.end()
        figures = {"start_s": start, "delay_ms": delay, "total_ms": 1e3 * total / wall, "child_ms": 1e3 * child.end()[1] / wall}
    finally:
        publisher.kill()
        publisher.wait()
    return figures, line


def alone(server, seconds):
    publisher = publish(server)
    try:
        names(server)
        time.sleep(4)
        span = meter.Span(server.pids())
        time.sleep(seconds)
        wall, cpu = span.end()
    finally:
        publisher.kill()
        publisher.wait()
    return {"source_ms": 1e3 * cpu / wall}


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
    ("the server without a ladder", "source_ms", "ms per second", "–"),
    ("a rung's part after the source's, median", "delay_ms", "ms", "150, aim at 67"),
    ("publishing to the first part of the last rung", "start_s", "s", "1.5"),
]


def table(records):
    lines = ["| figure | | measured | wanted |", "|---|---|---|---|"]
    for label, name, unit, wanted in ROWS:
        lines.append(f"| {label} | {unit} | {report.cell(records, 'Headwater', name, 2 if unit == 's' else 1)} | {wanted} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    runs, seconds = (1, 6) if options.quick else (options.runs, 20)
    make_source()
    records = []
    for number in range(runs):
        with WithLadder() as server:
            figures, line = ladder(server, seconds)
        figures |= plain(line, seconds)
        with Without() as server:
            figures |= alone(server, seconds)
        records.append({"run": number, "server": "Headwater", **figures})
        print(json.dumps(records[-1]), flush=True)
    print(table(records))
    if not options.quick:
        head = (ROOT / "bench/ladder.head.md").read_text()
        about = f"Measured on {report.machine()}, at {report.commit()}; {report.how_often(runs)}."
        PAGE.write_text(f"{head}\n{about}\n\n{table(records)}\n")


if __name__ == "__main__":
    main()
