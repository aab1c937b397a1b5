#!/usr/bin/env bash
# A PostgreSQL for tests, private to this checkout and on 127.0.0.1 only:
#
#   scripts/postgres.sh url [NAME]      its URL; it is made and started when it is not running
#   scripts/postgres.sh stop [NAME]     stops it, as an outage would; its data and its port stay
#   scripts/postgres.sh remove [NAME]   stops it and deletes what it holds
#
# Any number of processes may call this at once. A test that stops the server takes one of its own by a NAME.
# It trusts every local connection and does not wait for the disk: nothing of worth belongs into it.
set -euo pipefail
cd "$(dirname "$0")/.."

name=${2:-tests}
[[ $name =~ ^[a-z0-9-]+$ ]] || { echo "a name of a-z, 0-9 and - is wanted: $name" >&2; exit 2; }

# PostgreSQL refuses to run as root; its own user then needs a folder that it can reach.
if [ "$(id -u)" -eq 0 ]; then
  home=${TMPDIR:-/tmp}/headwater-postgres-$(pwd -P | cksum | cut -d ' ' -f 1)-$name
  as_user=(setpriv --reuid postgres --regid postgres --init-groups)
else
  home=$PWD/target/postgres/$name
  as_user=()
fi
data=$home/data

programs() {
  local folder
  folder=$(compgen -G '/usr/lib/postgresql/*/bin' | sort --version-sort | tail -n 1 || true)
  if [ -z "$folder" ]; then folder=$(dirname "$(command -v initdb)"); fi
  echo "$folder"
}

make_home() {
  mkdir -p "$home"
  # A folder that somebody else made before us under /tmp is not ours to fill.
  [ -O "$home" ] || { echo "this folder belongs to another user: $home" >&2; exit 1; }
  if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$home"
    install -d -o postgres -g postgres -m 700 "$data"
  fi
}

is_running() {
  local pid
  [ -r "$home/port" ] && [ -r "$data/postmaster.pid" ] || return 1
  pid=$(head -n 1 "$data/postmaster.pid")
  kill -0 "$pid" 2>/dev/null && "$bin/pg_isready" -q -h 127.0.0.1 -p "$(cat "$home/port")"
}

print_url() { echo "postgres://postgres@127.0.0.1:$(cat "$home/port")/postgres"; }

initialise() {
  [ ! -s "$data/PG_VERSION" ] || return 0
  "${as_user[@]}" "$bin/initdb" --pgdata "$data" --username postgres --auth trust --encoding UTF8 --no-locale --no-sync >/dev/null
  "${as_user[@]}" tee -a "$data/postgresql.conf" >/dev/null <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum_naptime = 10min
CONF
}

# The port it had before, then others until one is free.
start() {
  local port
  for port in $(cat "$home/port" 2>/dev/null) $(shuf -i 20000-31999 -n 20); do
    # The lock's descriptor and the caller's pipes stay with us: a server that held them would keep the caller waiting.
    if "${as_user[@]}" "$bin/pg_ctl" start --pgdata "$data" --log "$data/server.log" --wait --silent --options "-p $port" \
      </dev/null >/dev/null 2>&1 9>&-; then
      echo "$port" >"$home/port"
      return
    fi
  done
  echo "PostgreSQL does not start:" >&2
  tail -n 20 "$data/server.log" >&2 || true
  exit 1
}

# Each test leaves its database behind; now and then those of earlier runs go.
prune() {
  [ -z "$(find "$home/pruned" -mmin -10 2>/dev/null)" ] || return 0
  touch "$home/pruned"
  "$bin/psql" -q -X -h 127.0.0.1 -p "$(cat "$home/port")" -U postgres -d postgres >/dev/null 2>&1 <<'SQL' || true
select format('drop database if exists %I', d.datname) from pg_database d
where d.datname like 'test\_%'
  and not exists (select from pg_stat_activity a where a.datid = d.oid)
  and (pg_stat_file(format('base/%s/PG_VERSION', d.oid), true)).modification < now() - interval '30 minutes'
\gexec
SQL
}

stop() {
  [ -r "$data/postmaster.pid" ] || return 0
  "${as_user[@]}" "$bin/pg_ctl" stop --pgdata "$data" --mode fast --wait --silent >/dev/null 2>&1 || ! is_running
}

if [[ ${1:-} =~ ^(stop|remove)$ ]] && [ ! -d "$home" ]; then exit; fi
bin=$(programs)
[ -x "$bin/initdb" ] || { echo "PostgreSQL is missing; install it with: scripts/need.sh postgres" >&2; exit 1; }

case ${1:-} in
  url)
    if ! is_running; then
      make_home
      exec 9>"$home/lock"
      flock 9
      # Another process may have started it while this one waited.
      if ! is_running; then
        initialise
        start
      fi
    fi
    prune
    print_url
    ;;
  stop | remove)
    exec 9>"$home/lock"
    flock 9
    stop
    if [ "$1" = remove ]; then rm -rf "$data" "$home/port" "$home/pruned"; fi
    ;;
  *)
    sed -n 's/^# \?//p' "$0" | sed -n 2,8p >&2
    exit 2
    ;;
esac
