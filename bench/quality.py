#!/usr/bin/env python3
"""Measures what each rung costs and how like its source it looks: the tables of docs/transcoding.md.

usage: bench/quality.py [--seconds N]
"""

import argparse
import os
import pathlib
import re
import subprocess
import tempfile

# Size, bits per second: those of the presets.
RUNGS = {
    "superfast": [(720, 2_500), (480, 1_100), (240, 300)],
    "veryfast": [(1080, 4_500), (720, 2_500), (480, 1_100), (360, 650), (240, 300), (144, 110)],
    "fast": [(1080, 5_500), (720, 3_000), (480, 1_300), (360, 700), (240, 320)],
}
# A picture with detail that moves everywhere, and grain, in place of a film that could not be given away.
PICTURE = "mandelbrot=size=1920x1080:rate=30:maxiter=500:end_pts=600:start_scale=0.02:end_scale=0.005,noise=alls=6:allf=t"


def encoder(name, speed, kilobits):
    rate = ["-b:v", f"{kilobits}k", "-bf", "0", "-g", "60"]
    peak = ["-maxrate", f"{kilobits * 12 // 10}k", "-bufsize", f"{kilobits}k"]
    if name == "libx264":
        return ["-c:v", name, "-preset", speed, "-tune", "zerolatency", "-sc_threshold", "0", *rate, *peak]
    if name == "libx265":
        params = "open-gop=0:scenecut=0:bframes=0:frame-threads=1:pools=1:log-level=error"
        return ["-c:v", name, "-preset", speed, "-tune", "zerolatency", "-x265-params", params, *rate, *peak]
    preset = {"superfast": "12", "veryfast": "10", "fast": "8"}[speed]
    return ["-c:v", name, "-preset", preset, "-svtav1-params", "pred-struct=1:lookahead=0:scd=0:rc=2:lp=1", *rate]


def run(words):
    """Processor seconds of a command, and what it says."""
    process = subprocess.Popen(["ffmpeg", "-hide_banner", "-nostdin", "-y", *words], stderr=subprocess.PIPE)
    said = process.stderr.read().decode(errors="replace")
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(said[-2000:])
    return used.ru_utime + used.ru_stime, said


def width(size):
    return round(size * 16 / 9 / 2) * 2


def measure(folder, source, decode, name, speed, size, kilobits):
    out = folder / "rung.nut"
    scale = f"scale={width(size)}:{size}"
    one = ["-threads", "1", "-i", source, "-vf", f"{scale},format=yuv420p"]
    spent, _ = run([*one, *encoder(name, speed, kilobits), "-threads", "1", "-f", "nut", out])
    _, said = run(["-i", out, "-i", source, "-lavfi", f"[1:v]{scale},format=yuv420p[b];[0:v][b]ssim", "-f", "null", "-"])
    ssim = float(re.findall(r"All:([0-9.]+)", said)[-1])
    return spent - decode, ssim


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source = folder / "source.nut"
        first = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-bf", "0", "-g", "60", "-pix_fmt", "yuv420p"]
        run(["-f", "lavfi", "-i", PICTURE, "-t", str(seconds), *first, source])
        decode, _ = run(["-threads", "1", "-i", source, "-f", "null", "-"])
        pixels = 1920 * 1080 * 30 * seconds / 1e6
        print(f"decoding: {1e3 * decode / pixels:.1f} thousandths for a megapixel a second\n")
        print("| rung | encoder | kbit/s | SSIM | thousandths of a processor | for a megapixel a second |\n|---|---|---|---|---|---|")
        others = [(name, speed, 720, 1_500) for name in ("libx265", "libsvtav1") for speed in ("superfast", "veryfast")]
        software = [("libx264", speed, *rung) for speed, rungs in RUNGS.items() for rung in rungs]
        for name, speed, size, kilobits in software + others:
            spent, ssim = measure(folder, source, decode, name, speed, size, kilobits)
            cost = 1e3 * spent / seconds
            each = 1e3 * spent / (width(size) * size * 30 * seconds / 1e6)
            print(f"| {size}p30 | {name} {speed} | {kilobits} | {ssim:.4f} | {cost:.0f} | {each:.1f} |", flush=True)


if __name__ == "__main__":
    main()
