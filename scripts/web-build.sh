#!/usr/bin/env bash
# Builds web/build where it is missing or older than its sources.
set -euo pipefail
cd "$(dirname "$0")/../web"

inputs=()
for path in src static package-lock.json vite.config.ts svelte.config.js tsconfig.json; do
  if [ -e "$path" ]; then inputs+=("$path"); fi
done
if [ -e build/index.html ] && [ -z "$(find "${inputs[@]}" -newer build/index.html -print -quit)" ]; then
  exit 0
fi
npm run --silent build
touch build/index.html
