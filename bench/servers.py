"""The servers that are measured, each started afresh for a measurement."""

import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import meter

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER_CPU, GENERATOR_CPU = 0, 1
FILES = 60_000
# Run before everything else on the machine: for machines that others use too. Wants root.
REALTIME = False


def bound_to(cpu):
    """For a child process: one core of its own, and room for many connections."""

    def prepare():
        if os.cpu_count() > 1:
            os.sched_setaffinity(0, {cpu})
        if REALTIME:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))

    return prepare


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory_folder():
    """Where servers write: memory, so that no disk is measured."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Server:
    """A running server; `with` starts and ends it."""

    def __enter__(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="headwater-bench-", dir=memory_folder()))
        self.rtmp_port, self.http_port, self.tls_port = free_port(), free_port(), free_port()
        self.configure()
        self.log = open(self.work / "log", "w")
        self.process = subprocess.Popen(
            self.command(), cwd=self.work, stdout=self.log, stderr=self.log, preexec_fn=bound_to(SERVER_CPU)
        )
        for port in self.ports():
            self.wait_for(port)
        time.sleep(0.5)
        return self

    def wait_for(self, port):
        for _ in range(200):
            if self.process.poll() is not None:
                break
            try:
                return socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{self.name} does not listen on {port}:\n{(self.work / 'log').read_text()[-2000:]}")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def pids(self):
        return meter.family(self.process.pid)

    def rtmp(self):
        return f"rtmp://127.0.0.1:{self.rtmp_port}/live/s-{{i}}"

    def certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
            + ["-keyout", self.work / "key.pem", "-out", self.work / "cert.pem"],
            check=True,
            capture_output=True,
        )


class Headwater(Server):
    name = "Headwater"

    def configure(self):
        self.certificate()
        (self.work / "headwater.toml").write_text(
            f"""
data.dir = "{self.work}/data"
http.listen = "127.0.0.1:{self.http_port}"
https.listen = "127.0.0.1:{self.tls_port}"
tls.cert = "{self.work}/cert.pem"
tls.key = "{self.work}/key.pem"
rtmp.listen = "127.0.0.1:{self.rtmp_port}"
publish.open = "loopback"
log.level = "warn"
transcode.ladder = "off"
"""
        )

    def command(self):
        binary = os.environ.get("BENCH_SERVER", ROOT / "target/release/headwater")
        return [binary, "serve", "--config", self.work / "headwater.toml"]

    def ports(self):
        return [self.rtmp_port, self.http_port]

    def http(self, secure=False):
        address = f"https://127.0.0.1:{self.tls_port}" if secure else f"http://127.0.0.1:{self.http_port}"
        return f"{address}/live/s-0.m3u8"


NGINX = """
user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {work}/pid;
error_log {work}/error.log error;
events {{ worker_connections 30000; }}
{rtmp}
http {{
  types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; }}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
  uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  server {{ {server} }}
}}
"""

RTMP = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
rtmp {{
  server {{
    listen 127.0.0.1:{port};
    chunk_size 4096;
    access_log off;
    application live {{ live on; wait_key on; hls on; hls_path {work}/hls; hls_fragment 2s; hls_playlist_length 10s; }}
  }}
}}
"""


class Nginx(Server):
    def write(self, rtmp, server):
        text = NGINX.format(work=self.work, files=FILES, rtmp=rtmp, server=server)
        # The module must be loaded before any block.
        modules = [line for line in text.splitlines() if line.startswith("load_module")]
        others = [line for line in text.splitlines() if not line.startswith("load_module")]
        (self.work / "nginx.conf").write_text("\n".join(modules + others))

    def command(self):
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        return [nginx, "-p", self.work, "-c", self.work / "nginx.conf", "-e", self.work / "error.log"]


class NginxRtmp(Nginx):
    """Debian's nginx with the RTMP module: one worker, HLS on, files in memory."""

    name = "nginx-rtmp"

    def configure(self):
        self.write(
            RTMP.format(port=self.rtmp_port, work=self.work),
            f"listen 127.0.0.1:{self.http_port}; location /hls/ {{ root {self.work}; add_header Cache-Control no-cache; }}",
        )

    def ports(self):
        return [self.rtmp_port, self.http_port]

    def http(self, secure=False):
        return f"http://127.0.0.1:{self.http_port}/hls/s-0.m3u8"


class NginxStatic(Nginx):
    """The same nginx with finished files, plain and with TLS: the practical limit of delivery."""

    name = "nginx static"
    files = None  # a folder with s-0.m3u8 and its segments, filled once by the driver

    def configure(self):
        self.certificate()
        self.write(
            "",
            f"""
    listen 127.0.0.1:{self.http_port};
    listen 127.0.0.1:{self.tls_port} ssl;
    ssl_certificate {self.work}/cert.pem; ssl_certificate_key {self.work}/key.pem;
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_buffer_size 16k;
    open_file_cache max=1000 inactive=60s;
    root {self.files};""",
        )

    def ports(self):
        return [self.http_port]

    def http(self, secure=False):
        address = f"https://127.0.0.1:{self.tls_port}" if secure else f"http://127.0.0.1:{self.http_port}"
        return f"{address}/s-0.m3u8"
