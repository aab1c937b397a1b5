#!/usr/bin/env bash
# Sees to it that the tools a target needs are here:  scripts/need.sh build ffmpeg chromium …
#
# On Debian or Ubuntu as root, what is missing is installed. Elsewhere it is named, the line that installs it is printed, and the target stops.
set -euo pipefail

# Each need: how to tell that it is here, and what Debian calls it.
here() {
  case $1 in
    build) command -v cargo && command -v cc && command -v c++ ;;
    web) command -v npm && node_is_recent ;;
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    ffmpeg) command -v ffmpeg && command -v ffprobe ;;
    fonts) "$(dirname "$0")/font.sh" ;;
    gstreamer) command -v gst-launch-1.0 && gst-inspect-1.0 rtmp2sink && gst-inspect-1.0 x264enc ;;
    mpv) command -v mpv ;;
    nginx-rtmp) nginx_path && compgen -G '/usr/lib/nginx/modules/ngx_rtmp_module.so' ;;
    openssl) command -v openssl ;;
    pebble) command -v pebble && command -v pebble-challtestsrv ;;
    postgres) compgen -G '/usr/lib/postgresql/*/bin/initdb' || command -v initdb ;;
    python) python3 -c 'import venv, ensurepip' ;;
    rtmpdump) command -v rtmpdump ;;
    strace) command -v strace ;;
    vlc) command -v cvlc ;;
    *) echo "need.sh does not know this need: $1" >&2; exit 2 ;;
  esac
}

packages() {
  case $1 in
    build) echo build-essential ;;
    web) echo nodejs npm ;;
    fonts) echo fonts-dejavu-core ;;
    gstreamer) echo gstreamer1.0-tools gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-libav ;;
    nginx-rtmp) echo nginx libnginx-mod-rtmp ;;
    postgres) echo postgresql postgresql-client ;;
    python) echo python3 python3-venv ;;
    vlc) echo vlc-bin vlc-plugin-base vlc-plugin-access-extra ;;
    *) echo "$1" ;;
  esac
}

node_is_recent() { [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge 20 ]; }
nginx_path() { PATH=$PATH:/usr/sbin command -v nginx; }
is_debian() { [ -r /etc/debian_version ] && command -v apt-get >/dev/null; }

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  local get=(apt-get -o DPkg::Lock::Timeout=300)
  echo "installing: $*"
  # RUNLEVEL=1: a package that brings a service (nginx, PostgreSQL) does not start it.
  RUNLEVEL=1 "${get[@]}" install -y -q --no-install-recommends "$@" >/dev/null 2>&1 && return
  "${get[@]}" update -q >/dev/null
  RUNLEVEL=1 "${get[@]}" install -y -q --no-install-recommends "$@" >/dev/null
}

missing=()
for need in "$@"; do
  here "$need" >/dev/null 2>&1 || missing+=("$need")
done
[ ${#missing[@]} -gt 0 ] || exit 0

# Rust comes from rustup, not from Debian: distributions carry older ones.
if [[ " ${missing[*]} " == *" build "* ]] && ! command -v cargo >/dev/null; then
  echo "missing: Rust 1.90 or newer; install it with rustup: https://rustup.rs" >&2
  exit 1
fi
if [[ " ${missing[*]} " == *" web "* ]] && command -v node >/dev/null && ! node_is_recent; then
  echo "missing: Node 20 or newer; this one is $(node --version)" >&2
  exit 1
fi

wanted=()
for need in "${missing[@]}"; do
  read -ra names <<<"$(packages "$need")"
  wanted+=("${names[@]}")
done

if is_debian && [ "$(id -u)" -eq 0 ]; then
  install_packages "${wanted[@]}"
  for need in "${missing[@]}"; do
    here "$need" >/dev/null 2>&1 || { echo "still missing after the installation: $need" >&2; exit 1; }
  done
  exit 0
fi

echo "missing: ${missing[*]}" >&2
if is_debian; then
  echo "install with: sudo apt-get install ${wanted[*]}" >&2
else
  echo "install what your system calls: ${wanted[*]}" >&2
fi
exit 1
