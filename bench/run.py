#!/usr/bin/env python3
"""Measures Headwater beside nginx and writes docs/benchmarks.md.

usage: bench/run.py [--quick] [--runs N] [--only WORD] [--realtime]

--quick        a smoke run: small, once, and nothing is written
--runs N       how often everything is measured, interleaved (5)
--only WORD    only measurements whose name contains the word; nothing is written
--realtime     servers and generator go before everything else on the machine (root only)
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import measure
import report
import servers
from servers import ROOT, Headwater, NginxRtmp, NginxStatic, memory_folder

RECORDS = ROOT / "target/bench/records.jsonl"


def plan(scale):
    """Every measurement: its name, the servers that take part, and what is done."""
    both, ours = [Headwater, NginxRtmp], [Headwater]
    static = [Headwater, NginxStatic]
    steps = [("idle", both, measure.idle)]
    for count in scale.streams:
        steps.append((f"ingest-{count}", both, lambda s, c, n=count: measure.ingest(s, c, n)))
    steps += [
        ("window", ours, measure.window),
        ("play", both, measure.play),
        ("play-memory", both, measure.play_memory),
        ("latency", both, measure.latency),
        ("startup", both, measure.startup),
        ("parts", ours, measure.parts),
    ]
    for count in scale.blocked:
        steps.append((f"blocked-{count}", ours, lambda s, c, n=count: measure.blocked(s, c, n)))

    def pull(what, secure):
        return lambda s, c: measure.pull(s, c, what, secure, fed=not isinstance(s, NginxStatic))

    steps += [
        ("segments", both, pull("segments", False)),
        ("segments-tls", static, pull("segments", True)),
        ("playlist", static, pull("playlist", False)),
    ]
    return steps


def make_source():
    """Thirty seconds of 720p30 at 2.5 Mb/s, a key frame a second, no B-frames."""
    if measure.SOURCE.exists():
        return
    measure.SOURCE.parent.mkdir(parents=True, exist_ok=True)
    print("making the source", flush=True)
    video = "testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t"
    rate = ["-b:v", "2372k", "-maxrate", "2372k", "-bufsize", "2372k"]
    partial = measure.SOURCE.with_suffix(".part")
    subprocess.run(
        ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi", "-i", video]
        + ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "30"]
        + ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p"]
        + ["-bf", "0", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0", *rate]
        + ["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "flv", partial],
        check=True,
    )
    partial.rename(measure.SOURCE)


def source_mbit():
    return measure.SOURCE.stat().st_size * 8 / 30 / 1e6


def snapshot(folder):
    """Finished segments of the same stream, for nginx static."""
    with NginxRtmp() as server:
        publisher = measure.publish(server, 1, 20)
        time.sleep(14)
        shutil.copytree(server.work / "hls", folder, dirs_exist_ok=True)
        publisher.stop()


def run_once(steps, scale, number, only):
    for name, kinds, what in steps:
        if only not in name:
            continue
        for kind in kinds:
            with kind() as server:
                try:
                    figures = what(server, scale)
                except (RuntimeError, KeyError, TypeError, json.JSONDecodeError) as error:
                    figures = {"error": f"{type(error).__name__}: {error}"}
            yield {"run": number, "measurement": name, "server": kind.name, **figures}


def show(record):
    figures = [f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in record.items()]
    print("  ".join(figures), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--realtime", action="store_true")
    options = parser.parse_args()
    servers.REALTIME = options.realtime
    scale, runs = measure.Scale(options.quick), 1 if options.quick else options.runs

    make_source()
    records = []
    with tempfile.TemporaryDirectory(prefix="headwater-bench-", dir=memory_folder()) as folder:
        NginxStatic.files = pathlib.Path(folder)
        snapshot(NginxStatic.files)
        with RECORDS.open("w") as log:
            for number in range(runs):
                for record in run_once(plan(scale), scale, number, options.only):
                    show(record)
                    records.append(record)
                    log.write(json.dumps(record) + "\n")
                # After each run, so that one that is interrupted leaves what it has.
                if not options.quick and not options.only:
                    report.write(records, scale, number + 1, source_mbit())
    print(report.table(records, scale))
    failed = [record for record in records if "error" in record]
    if failed:
        sys.exit(f"{len(failed)} of {len(records)} measurements failed")


if __name__ == "__main__":
    main()
