#!/usr/bin/env bash
# Prepares a Python venv for the scripts of this folder.
# usage: setup.sh VENV    Needs python3 with venv; then VENV/bin/python tests/onnx/backend.py --cnn target/release/cnn
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ -x "$1/bin/python" ] || python3 -m venv "$1"
"$1/bin/pip" install --quiet --retries 1 -r "$here/requirements.txt"
