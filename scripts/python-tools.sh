#!/usr/bin/env bash
# Prints the folder of the tests' Python tools (scripts/python-tools.txt): made once, made again when the list changes.
set -euo pipefail
cd "$(dirname "$0")/.."

list=scripts/python-tools.txt
venv=target/python-venv
mkdir -p target
exec 9>target/python-venv.lock
flock 9
if ! cmp -s "$list" "$venv/installed.txt"; then
  echo "installing the tests' Python tools into $venv" >&2
  python3 -m venv --clear "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$list" >&2
  cp "$list" "$venv/installed.txt"
fi
echo "$PWD/$venv"
