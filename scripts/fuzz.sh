#!/usr/bin/env bash
# Runs every fuzz target for some seconds: scripts/fuzz.sh 60. Prints the number of runs of each.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}

tools=$PWD/target/tools
export PATH=$tools/bin:$PATH
# cargo-fuzz wants sanitizer flags that stable Rust hides behind this variable.
export RUSTC_BOOTSTRAP=1
command -v cargo-fuzz >/dev/null || env -u RUSTC_BOOTSTRAP cargo install --locked --root "$tools" --version 0.13.2 cargo-fuzz

failed=0
for target in $(cargo fuzz list); do
  echo "fuzzing $target for $seconds s"
  log=target/fuzz-$target.log
  # What is found on the way stays below target/: the committed corpus is only read.
  mkdir -p "target/fuzz-corpus/$target"
  if cargo fuzz run "$target" "target/fuzz-corpus/$target" "fuzz/corpus/$target" -- -max_total_time="$seconds" -print_final_stats=1 >"$log" 2>&1; then
    awk '/stat::number_of_executed_units/{print "  runs: " $2}' "$log"
  else
    echo "  a find: see $log and fuzz/artifacts/$target" >&2
    failed=1
  fi
done
exit $failed
