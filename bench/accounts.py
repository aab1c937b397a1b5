#!/usr/bin/env python3
"""Measures the API and publish authorisation on SQLite and PostgreSQL and writes docs/benchmarks-accounts.md.

usage: bench/accounts.py [--quick] [--runs N]

Each engine is measured with a nearly empty database, and with 100,000 people and 1,000,000 events in it.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

import measure
import meter
import report
import servers
from servers import ROOT, Headwater

PAGE = ROOT / "docs/benchmarks-accounts.md"
ACTORS = 50
RATE = 500
# Sign-ins a minute, from so many addresses to so many accounts; reads in a second beside them.
FLOOD, ADDRESSES, VICTIMS = 10_000, 1_000, 1_000
FLOOD_READS = 400
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def public_id(prefix):
    return prefix + "".join(random.choices(ALPHABET, k=26))


class Sqlite(Headwater):
    name = "SQLite"
    many = False

    def database(self):
        return ""

    def __enter__(self):
        # On a disk: what a commit costs is part of the figure.
        servers.memory_folder = lambda: ROOT / "target/bench"
        return super().__enter__()

    def configure(self):
        super().configure()
        with open(self.work / "headwater.toml", "a") as file:
            # The generator tells whose address it has, as a proxy does.
            file.write('http.trusted_proxies = "127.0.0.1"\n' + self.database())
        self.make_tables()
        self.actors = fill(self.run, self.json, self.many)
        self.finish()

    def make_tables(self):
        """A server's first start makes the tables."""
        with_tables = subprocess.Popen(self.command(), cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            self.process = with_tables
            self.log = open(self.work / "log", "w")
            self.wait_for(self.http_port)
            self.wait_until_ready()
        finally:
            with_tables.terminate()
            with_tables.wait(10)

    def wait_until_ready(self):
        """It listens before it is ready: until then it answers 503, or not yet."""
        for _ in range(200):
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/readyz", timeout=30).close()
            except urllib.error.HTTPError:
                time.sleep(0.05)
        raise SystemExit(f"{self.name} does not become ready")

    def json(self, text):
        return f"'{text}'"

    def run(self, script):
        connection = sqlite3.connect(self.work / "data/headwater.db")
        connection.executescript("begin;" + script + ";commit;")
        connection.close()

    def finish(self):
        self.run("analyze")


class Postgres(Sqlite):
    name = "PostgreSQL"

    def database(self):
        url = subprocess.run([ROOT / "scripts/postgres.sh", "url"], capture_output=True, text=True, check=True).stdout.strip()
        self.admin = url
        self.db_name = "bench_" + public_id("")[:20]
        self.psql(url, f"create database {self.db_name}")
        address, _, query = url.partition("?")
        self.url = address.rsplit("/", 1)[0] + "/" + self.db_name + ("?" + query if query else "")
        return f'\n[database]\nurl = "{self.url}"\n'

    def psql(self, url, script):
        done = subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", url], input=script, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def json(self, text):
        return f"'{text}'::jsonb"

    def run(self, script):
        self.psql(self.url, script)

    def finish(self):
        self.psql(self.url, "vacuum analyze")

    def __exit__(self, *args):
        super().__exit__(*args)
        self.psql(self.admin, f"drop database {self.db_name} with (force)")


def fill(run, as_json, many):
    """Fifty creators with a token, a channel and a stream each, and people to be attacked; with `many`, a crowd and what happened to it."""
    organisation, environment = public_id("og"), public_id("en")
    settings = {"name": "Bench", "sign_up": "open", "creators": "all", "verify_email": False}
    settings["quotas"] = {"channels": 100, "streams": 100000, "keys_per_stream": 10, "broadcasts_at_once": 3}
    settings["home"] = {"organisation": organisation, "environment": environment}
    script = [
        f"insert into organisations (id, name, created_at) values ('{organisation}', 'Bench', 1)",
        f"insert into environments (id, organisation_id, name, created_at) values ('{environment}', '{organisation}', 'Bench', 1)",
        f"insert into settings (name, value, updated_at) values ('server', {as_json(json.dumps(settings))}, 1)",
    ]
    actors = []
    for number in range(ACTORS):
        actor = {kind: public_id(prefix) for kind, prefix in [("user", "us"), ("token", "to"), ("channel", "ch"), ("stream", "st")]}
        secret = base64.urlsafe_b64encode(random.randbytes(32)).decode().rstrip("=")
        digest = hashlib.sha256(secret.encode()).hexdigest()
        blob = f"decode('{digest}', 'hex')" if as_json("x").endswith("jsonb") else f"x'{digest}'"
        actor["authorization"] = f"Bearer {actor['token']}.{secret}"
        actor["handle"] = f"bench{number}"
        actors.append(actor)
        script += [
            f"""insert into users (id, email, email_key, email_verified_at, name, locale, created_at, updated_at)
                values ('{actor['user']}', 'a{number}@bench', 'a{number}@bench', 1, 'Actor {number}', 'en', 1, 1)""",
            f"""insert into role_bindings (id, subject_id, role, scope, scope_id, created_at)
                values ('{public_id('ro')}', '{actor['user']}', 'creator', 'server', 'server', 1)""",
            f"""insert into tokens (id, environment_id, user_id, name, digest, scopes, created_at)
                values ('{actor['token']}', '{environment}', '{actor['user']}', 't', {blob}, {as_json('["read","write","keys"]')}, 1)""",
            f"""insert into streams (id, environment_id, owner_id, channel_id, title, settings, created_at, updated_at)
                values ('{actor['stream']}', '{environment}', '{actor['user']}', null, 's', {as_json('{}')}, 1, 1)""",
            f"""insert into channels (id, environment_id, owner_id, handle, title, description, category, tags, language, mature,
                visibility, stream_id, created_at, updated_at) values ('{actor['channel']}', '{environment}', '{actor['user']}',
                '{actor['handle']}', 'c', '', '', {as_json('[]')}, 'en', {'false'}, 'public', '{actor['stream']}', 1, 1)""",
            f"update streams set channel_id = '{actor['channel']}' where id = '{actor['stream']}'",
        ]
    # They have no password: to try one costs as much as where it is wrong.
    script += [
        f"""insert into users (id, email, email_key, email_verified_at, name, locale, created_at, updated_at)
            values ('{public_id('us')}', 'v{number}@bench', 'v{number}@bench', 1, 'Victim {number}', 'en', 1, 1)"""
        for number in range(VICTIMS)
    ]
    if many:
        streams = ", ".join(f"({number}, '{actor['stream']}')" for number, actor in enumerate(actors))
        padded = "substr('aaaaaaaaaaaaaaaaaaaaaaaaaa', 1, 26 - length(cast(i as text))) || cast(i as text)"
        script += [
            f"""insert into users (id, email, email_key, email_verified_at, name, locale, created_at, updated_at)
                with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
                select 'us' || {padded}, 'u' || i || '@crowd', 'u' || i || '@crowd', 1, 'Person ' || i, 'en', i, i from n""",
            f"""insert into stream_events (id, environment_id, stream_id, kind, detail, at)
                with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000), s(k, stream) as (values {streams})
                select 'ev' || {padded}, '{environment}', s.stream, 'connected', {as_json('{}')}, i from n join s on s.k = i % {ACTORS}""",
        ]
    run(";\n".join(script))
    return actors


def plan(actors):
    """Four reads to a write, as pages ask."""
    requests = []
    for number in range(1_000):
        actor = actors[number % len(actors)]
        write = number % 5 == 0
        if write:
            method, path, body = [
                ("PATCH", f"/api/v1/channels/{actor['channel']}", {"title": f"title {number}"}),
                ("PATCH", "/api/v1/me", {"name": f"Actor {number}"}),
                ("PATCH", f"/api/v1/streams/{actor['stream']}", {"title": f"stream {number}"}),
            ][number // 5 % 3]
        else:
            method, body = "GET", None
            path = [
                "/api/v1/me",
                f"/api/v1/channels/{actor['handle']}",
                f"/api/v1/streams/{actor['stream']}",
                f"/api/v1/streams/{actor['stream']}/events?limit=25",
                "/api/v1/channels?mine=1",
                "/api/v1/streams",
                "/api/v1/server",
            ][number % 7]
        headers = {"Authorization": actor["authorization"]}
        requests.append({"write": write, "method": method, "path": path, "headers": headers, "body": body})
    return requests


def flood(actors):
    """The reads of the plan among a flood of sign-ins with wrong passwords."""
    reads = [request for request in plan(actors) if not request["write"]]
    every = FLOOD_READS * 60 / FLOOD
    requests, sign_ins = [], 0
    while sign_ins < ADDRESSES * 3:
        while len(requests) - sign_ins < every * (sign_ins + 1):
            requests.append(reads[len(requests) % len(reads)])
        # The second time round an address tries another account.
        victim = (7 * sign_ins + sign_ins // ADDRESSES) % VICTIMS
        address = f"198.18.{sign_ins % ADDRESSES // 250}.{sign_ins % ADDRESSES % 250}"
        body = {"email": f"v{victim}@bench", "password": "not the password"}
        requests.append(
            {"write": True, "method": "POST", "path": "/api/v1/auth/sign-in", "headers": {"X-Forwarded-For": address}, "body": body}
            | {"expected": [401, 429]}
        )
        sign_ins += 1
    return requests


def load(server, requests, seconds, rate=RATE, count=64):
    file = server.work / "plan.json"
    file.write_text(json.dumps(requests))
    options = {"http": f"http://127.0.0.1:{server.http_port}/", "plan": file, "rate": rate, "count": count, "seconds": seconds}
    generator = measure.Generator("api", **options)
    generator.wait_for("steady")
    span = meter.Span(server.pids())
    figures = generator.figures()
    _, cpu = span.end()
    measure.require(figures["errors"] == 0, f"requests failed: {figures['first_error']}")
    return figures, cpu


def api(server, seconds):
    """The mix for its times; reads and writes alone for what each costs the processor."""
    requests = plan(server.actors)
    load(server, requests, 2)
    mixed, _ = load(server, requests, seconds)
    reads, read_cpu = load(server, [request for request in requests if not request["write"]], seconds)
    writes, write_cpu = load(server, [request for request in requests if request["write"]], seconds)
    return {
        "read_p99_ms": mixed["read_ms"]["p99"],
        "read_p50_ms": mixed["read_ms"]["p50"],
        "write_p99_ms": mixed["write_ms"]["p99"],
        "write_p50_ms": mixed["write_ms"]["p50"],
        "read_cpu_ms": 1e3 * read_cpu / reads["read_ms"]["count"],
        "write_cpu_ms": 1e3 * write_cpu / writes["write_ms"]["count"],
    }


def attacked(server, seconds):
    """Reads while somebody tries 10,000 passwords a minute. Those who wait for a hash hold a connection: there are enough of them."""
    figures, _ = load(server, flood(server.actors), seconds, rate=FLOOD_READS + FLOOD / 60, count=256)
    tried, refused = figures["statuses"].get("401", 0), figures["statuses"].get("429", 0)
    return {
        "flood_read_p50_ms": figures["read_ms"]["p50"],
        "flood_read_p99_ms": figures["read_ms"]["p99"],
        "flood_refused_percent": 100 * refused / (tried + refused),
    }


def call(server, actor, method, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{server.http_port}{path}", json.dumps(body).encode(), method=method)
    request.add_header("Authorization", actor["authorization"])
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def authorisation(server, joins):
    """Publish with a key of the database, beside publishing openly: the difference is what the question costs."""
    actor = server.actors[0]
    secret = call(server, actor, "POST", f"/api/v1/streams/{actor['stream']}/keys", {"name": "bench"})["secret"]
    keyed = [server.accepted(secret) for _ in range(joins)]
    openly = [server.accepted(f"open-{number}") for number in range(joins)]
    return {"authorise_ms": 1e3 * (statistics.median(keyed) - statistics.median(openly))}


def accepted(self, name):
    figures = measure.Generator("accept", rtmp=f"rtmp://127.0.0.1:{self.rtmp_port}/live/{name}").figures()
    return figures["accepted_ms"] / 1e3


Sqlite.accepted = accepted

ROWS = [
    ("reads of the mix: p50", "read_p50_ms", "ms", "–"),
    ("reads of the mix: p99", "read_p99_ms", "ms", "10"),
    ("writes of the mix: p50", "write_p50_ms", "ms", "–"),
    ("writes of the mix: p99", "write_p99_ms", "ms", "25"),
    ("processor time of a read", "read_cpu_ms", "ms", "0.5"),
    ("processor time of a write", "write_cpu_ms", "ms", "1"),
    ("reads during 10,000 sign-ins a minute: p50", "flood_read_p50_ms", "ms", "–"),
    ("reads during 10,000 sign-ins a minute: p99", "flood_read_p99_ms", "ms", "10"),
    ("of these sign-ins refused before hashing", "flood_refused_percent", "%", "–"),
    ("publish authorisation adds, median", "authorise_ms", "ms", "5"),
]
COLUMNS = [(kind, many) for kind in (Sqlite, Postgres) for many in (False, True)]


def column(kind, many):
    return f"{kind.name}, {'100,000 people and 1,000,000 events' if many else 'nearly empty'}"


def table(records):
    lines = ["| figure | | " + " | ".join(column(*which) for which in COLUMNS) + " | at most |", "|---" * (len(COLUMNS) + 3) + "|"]
    for label, name, unit, wanted in ROWS:
        cells = [report.cell(records, column(*which), name, 2) for which in COLUMNS]
        lines.append(f"| {label} | {unit} | {' | '.join(cells)} | {wanted} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    runs, seconds, joins = (1, 3, 3) if options.quick else (options.runs, 10, 11)
    (ROOT / "target/bench").mkdir(parents=True, exist_ok=True)
    records = []
    for number in range(runs):
        for kind, many in COLUMNS:
            server = kind()
            server.many = many
            with server:
                record = {"run": number, "server": column(kind, many), **api(server, seconds), **authorisation(server, joins)}
                record |= attacked(server, seconds)
            print(json.dumps(record), flush=True)
            records.append(record)
    print(table(records))
    if not options.quick:
        head = (ROOT / "bench/accounts.head.md").read_text()
        about = f"Measured on {report.machine()}, at {report.commit()}; {report.how_often(runs)}."
        PAGE.write_text(f"{head}\n{about}\n\n{table(records)}\n")


if __name__ == "__main__":
    main()
