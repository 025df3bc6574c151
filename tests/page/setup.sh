#!/usr/bin/env bash
# Installs what the page's test needs: Debian's Chromium and Firefox, a font with Korean letters, and the test's packages.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v chromium >/dev/null || ! command -v firefox-esr >/dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends chromium firefox-esr fonts-nanum
fi
npm ci --no-audit --no-fund
