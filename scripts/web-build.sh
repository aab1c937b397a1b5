#!/usr/bin/env bash
# Builds web/build where its stamp is not that of the sources.
set -euo pipefail
cd "$(dirname "$0")/../web"

now=$(node --input-type=module -e "import { stamp } from './scripts/stamp.js'; console.log(stamp('.'))")
if [ -e build/stamp ] && [ "$(cat build/stamp)" = "$now" ]; then exit 0; fi
npm run --silent build
