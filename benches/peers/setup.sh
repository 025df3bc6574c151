#!/usr/bin/env bash
# Prepares the comparison with other engines in a folder: a Python venv with the engines, and the exported networks.
# usage: setup.sh WORK [MODEL,MODEL…]    Needs python3 with venv; about 8 GB (3 GB where PyTorch's own index answers).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --retries 1 -r "$here/requirements.txt"
PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" -W ignore "$here/models.py" "$work/models" ${2:+"$2"}
