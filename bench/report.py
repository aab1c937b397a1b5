"""The table of docs/benchmarks.md: medians of what was measured, beside what is wanted."""

import pathlib
import platform
import statistics
import subprocess

from servers import ROOT

PAGE = ROOT / "docs/benchmarks.md"
OURS, RTMP, STATIC = "Headwater", "nginx-rtmp", "nginx static"


class Row:
    def __init__(self, label, name, unit, wanted, peer=RTMP, digits=2, peer_name=None):
        self.label, self.name, self.unit, self.wanted = label, name, unit, wanted
        self.peer, self.digits, self.peer_name = peer, digits, peer_name or name


def rows(scale):
    """Every figure, in the order of the page."""
    ingest = [
        Row(f"processor time per ingested stream, {n} streams, packaged", f"ingest_ms_{n}", "ms per second",
            "no more than nginx-rtmp")
        for n in scale.streams
    ]
    held = []
    for n, ms in zip(scale.blocked, [50, 200]):
        held.append(Row(f"{n:,} blocked playlist requests: p99 from the part's birth", f"blocked_p99_ms_{n}", "ms",
                        f"{ms}", None, 1))
        held.append(Row(f"{n:,} blocked playlist requests: memory each", f"blocked_kb_{n}", "kB", "20", None, 1))
    return [
        *ingest,
        Row("memory per stream, 60 s window", "window_mib", "MiB", "1.5 × the window's bytes + 0.5", None, 1),
        Row("RTMP play, viewers that read at once: processor time per viewer", "play_us", "µs per second",
            "half of nginx-rtmp's", digits=0),
        Row("the same: latency p99", "play_latency_p99_ms", "ms", "35", digits=1),
        Row("RTMP play: memory per viewer", "play_kib", "KiB", "24", digits=1),
        Row("RTMP in to RTMP out, p50", "latency_p50_ms", "ms", "0.5"),
        Row("RTMP in to RTMP out, p99", "latency_p99_ms", "ms", "5"),
        Row("HLS delivery, plain HTTP", "segments_gbit", "Gbit per CPU-second", "30", digits=1),
        Row("HLS delivery, TLS 1.3", "segments_tls_gbit", "Gbit per CPU-second", "1.3 × nginx static", STATIC, 1),
        Row("playlist requests", "playlist_requests", "per CPU-second", "level with nginx static", STATIC, 0),
        Row("playlist requests, p99", "playlist_p99_ms", "ms", "no stall of 40", STATIC, 1),
        *held,
        Row("age of a part's newest frame at the blocked reload, p50", "part_age_p50_ms", "ms", "36, aim at 3", None, 1),
        Row("the same, p99", "part_age_p99_ms", "ms", "36", None, 1),
        Row("first media to first playable, low-latency reader", "playable_s", "s", "0.6, aim at 0.25"),
        Row("first media to first playable, plain reader", "plain_playable_s", "s", "1.3"),
        Row("new RTMP viewer: first frame, p50", "join_ms", "ms", "50", digits=0),
        Row("new RTMP viewer: caught up with live, worst", "caught_up_ms", "ms", "2000", digits=0),
        Row("server at rest: memory", "idle_mib", "MiB", "30", digits=1),
        Row("server at rest: processor", "idle_cpu_percent", "% of a core", "0"),
    ]


def cell(records, server, name, digits):
    """Median, and in brackets the lowest and highest."""
    values = [record[name] for record in records if record["server"] == server and record.get(name) is not None]
    if not values:
        return "–"
    middle = f"{statistics.median(values):,.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def table(records, scale):
    lines = ["| figure | | Headwater | peer | at least |", "|---|---|---|---|---|"]
    for row in rows(scale):
        ours = cell(records, OURS, row.name, row.digits)
        peer = "–" if row.peer is None else cell(records, row.peer, row.peer_name, row.digits)
        if row.peer == STATIC and peer != "–":
            peer += " static"
        lines.append(f"| {row.label} | {row.unit} | {ours} | {peer} | {row.wanted} |")
    return "\n".join(lines)


def machine():
    """What this was measured on, in one line."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores = pathlib.Path("/proc/cpuinfo").read_text().count("processor\t")
    kib = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    return f"{cores} cores of {model}, {round(kib / 2**20)} GiB, Linux {platform.release()}"


def commit():
    shown = subprocess.run(["git", "log", "-1", "--format=%h of %cs"], cwd=ROOT, capture_output=True, text=True)
    return shown.stdout.strip() or "an export"


def how_often(runs):
    return f"medians of {runs} interleaved runs, lowest and highest in brackets" if runs > 1 else "one run"


def write(records, scale, runs, source_mbit):
    """Writes the page; the words around the table stand in benchmarks.head.md."""
    head = (ROOT / "bench/benchmarks.head.md").read_text()
    window = source_mbit * 60 / 8 / 1.048576
    about = (
        f"Measured on {machine()}, at {commit()}; {how_often(runs)}. "
        f"The stream is 720p30 at {source_mbit:.2f} Mb/s with a key frame a second, so 60 s of it are {window:.1f} MiB."
    )
    PAGE.write_text(f"{head}\n{about}\n\n{table(records, scale)}\n")
