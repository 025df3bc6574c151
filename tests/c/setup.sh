#!/usr/bin/env bash
# Installs what the C interface's tests need: valgrind and pkg-config, with apt-get where they are missing and it may.
set -euo pipefail
missing=()
for tool in valgrind pkg-config; do command -v "$tool" > /dev/null || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq && apt-get install -y -qq "${missing[@]}" > /dev/null
fi
