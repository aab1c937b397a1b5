#!/usr/bin/env bash
# Prints the path of a modern static ffmpeg (HEVC, AV1 and Opus by Enhanced RTMP), fetched once into target/.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=target/peers/venv
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv" >&2; fi
if ! "$venv/bin/python" -c 'import imageio_ffmpeg' 2>/dev/null; then
  "$venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg >&2
fi
"$venv/bin/python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())'
