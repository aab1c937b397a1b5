#!/usr/bin/env bash
# Prints the path of a font that ffmpeg's drawtext can use; fails where there is none.
set -euo pipefail

for font in \
  /usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf \
  /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf \
  /usr/share/fonts/TTF/DejaVuSans.ttf \
  /usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf \
  /System/Library/Fonts/Supplemental/Arial.ttf; do
  if [ -r "$font" ]; then echo "$font"; exit 0; fi
done
exit 1
