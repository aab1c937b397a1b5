"""The measurements: each starts a server, loads it, and returns figures by name."""

import json
import subprocess
import time

import meter
from servers import GENERATOR_CPU, ROOT, bound_to

GENERATOR = ROOT / "target/release/loadgen"
SOURCE = ROOT / "target/bench/source.flv"


class Scale:
    """How long and how much: a whole run, or a smoke run."""

    def __init__(self, quick):
        self.seconds = 2 if quick else 8
        self.warm = 2 if quick else 4
        self.streams = [3] if quick else [50, 300]
        self.window_streams, self.window_seconds = (2, 6) if quick else (10, 66)
        self.viewers, self.many_viewers = (10, 20) if quick else (200, 500)
        self.blocked = [50] if quick else [3_000, 10_000]
        self.connections = 4 if quick else 32
        self.joins = 2 if quick else 10


class Generator:
    """One load generator: its events as they come, its figures at the end."""

    def __init__(self, command, **options):
        words = [GENERATOR, command]
        for name, value in options.items():
            words += [f"--{name}", str(value)]
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, bufsize=1, preexec_fn=bound_to(GENERATOR_CPU)
        )

    def wait_for(self, event):
        line = json.loads(self.process.stdout.readline() or "{}")
        if line.get("event") != event:
            raise RuntimeError(f"the generator did not reach {event}: {line}")

    def figures(self):
        last = {}
        for line in self.process.stdout:
            record = json.loads(line)
            last = last if "event" in record else record
        if self.process.wait() != 0:
            raise RuntimeError("the generator failed")
        return last

    def stop(self):
        self.process.kill()
        self.process.wait()


def publish(server, count, seconds):
    generator = Generator("publish", rtmp=server.rtmp(), flv=SOURCE, count=count, seconds=seconds)
    generator.wait_for("publishing")
    return generator


def idle(server, scale):
    span = meter.Span(server.pids())
    time.sleep(scale.seconds)
    wall, cpu = span.end()
    return {"idle_mib": meter.resident_kib(server.pids()) / 1024, "idle_cpu_percent": 100 * cpu / wall}


def ingest(server, scale, count):
    publishers = publish(server, count, scale.warm + scale.seconds + 1)
    time.sleep(scale.warm)
    span = meter.Span(server.pids())
    time.sleep(scale.seconds)
    wall, cpu = span.end()
    require(publishers.figures()["failed"] == 0, "publishers failed")
    return {f"ingest_ms_{count}": 1e3 * cpu / wall / count}


def window(server, scale):
    count = scale.window_streams
    before = meter.resident_kib(server.pids())
    publishers = publish(server, count, scale.window_seconds + 2)
    time.sleep(scale.window_seconds)
    mib = (meter.resident_kib(server.pids()) - before) / 1024 / count
    require(publishers.figures()["failed"] == 0, "publishers failed")
    return {"window_mib": mib}


def play(server, scale):
    count = scale.viewers
    publisher = publish(server, 1, 3600)
    try:
        time.sleep(scale.warm)
        span = meter.Span(server.pids())
        time.sleep(2)
        wall, cpu = span.end()
        ingest_cores = cpu / wall
        viewers = Generator("play", rtmp=server.rtmp(), count=count, warm=scale.warm, seconds=scale.seconds)
        viewers.wait_for("steady")
        span = meter.Span(server.pids())
        time.sleep(scale.seconds - 0.5)
        wall, cpu = span.end()
        figures = viewers.figures()
    finally:
        publisher.stop()
    require(figures["failed"] == 0, "viewers failed")
    return {"play_us": 1e6 * (cpu / wall - ingest_cores) / count, "play_latency_p99_ms": figures["latency_ms"]["p99"]}


def play_memory(server, scale):
    count = scale.many_viewers
    publisher = publish(server, 1, 3600)
    try:
        time.sleep(scale.warm)
        before = meter.resident_kib(server.pids())
        viewers = Generator("play", rtmp=server.rtmp(), count=count, warm=scale.warm, seconds=2)
        viewers.wait_for("steady")
        kib = (meter.resident_kib(server.pids()) - before) / count
        viewers.figures()
    finally:
        publisher.stop()
    return {"play_kib": kib}


def latency(server, scale):
    publishers = publish(server, 3, 3600)
    try:
        time.sleep(scale.warm)
        figures = Generator("play", rtmp=server.rtmp(), count=1, warm=1, seconds=2 * scale.seconds).figures()
    finally:
        publishers.stop()
    return {"latency_p50_ms": figures["latency_ms"]["p50"], "latency_p99_ms": figures["latency_ms"]["p99"]}


def pull(server, scale, what, secure, fed):
    """A closed loop; `fed` says whether the server has to be given a stream first."""
    publisher = publish(server, 1, 3600) if fed else None
    try:
        if fed:
            time.sleep(scale.warm + 12)
        options = {"count": scale.connections, "warm": 1, "seconds": scale.seconds, "what": what}
        readers = Generator("pull", http=server.http(secure), **options)
        readers.wait_for("steady")
        span = meter.Span(server.pids())
        figures = readers.figures()
        _, cpu = span.end()
    finally:
        if publisher:
            publisher.stop()
    require(figures["errors"] == 0 and figures["requests"] > 0, "requests failed")
    name = f"{what}{'_tls' if secure else ''}"
    return {
        f"{name}_gbit": figures["bytes"] * 8e-9 / cpu,
        f"{name}_requests": figures["requests"] / cpu,
        f"{name}_p99_ms": figures["request_ms"]["p99"],
    }


def blocked(server, scale, count):
    publisher = publish(server, 1, 3600)
    try:
        time.sleep(scale.warm + 3)
        before = meter.resident_kib(server.pids())
        requests = Generator("blocked", http=server.http(), count=count, seconds=scale.seconds)
        requests.wait_for("connected")
        requests.wait_for("held")
        time.sleep(0.3)
        kib = (meter.resident_kib(server.pids()) - before) / count
        figures = requests.figures()
    finally:
        publisher.stop()
    require(figures["errors"] == 0, "blocked requests failed")
    return {f"blocked_p99_ms_{count}": figures["delay_ms"]["p99"], f"blocked_kb_{count}": kib * 1.024}


def parts(server, scale):
    publisher = publish(server, 1, 3600)
    try:
        time.sleep(scale.warm + 3)
        figures = Generator("parts", http=server.http(), seconds=2 * scale.seconds).figures()
    finally:
        publisher.stop()
    newest = figures["newest_frame_ms"]
    return {"part_age_p50_ms": newest["p50"], "part_age_p99_ms": newest["p99"]}


def startup(server, scale):
    options = {"rtmp": server.rtmp(), "http": server.http(), "flv": SOURCE, "joins": scale.joins}
    figures = Generator("startup", **options).figures()
    return {
        "playable_s": figures["playable_ms"] and figures["playable_ms"] / 1e3,
        "plain_playable_s": figures["plain_playable_ms"] / 1e3,
        "join_ms": figures["join_first_frame_ms"]["p50"],
        "caught_up_ms": figures["join_caught_up_ms"]["max"],
    }


def require(condition, what):
    if not condition:
        raise RuntimeError(what)
