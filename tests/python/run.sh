#!/usr/bin/env bash
# Builds the Python package, installs it in a virtual environment under target/, and runs its tests and docs/python.md.
# usage: [CNN_PROFILE=dev] tests/python/run.sh [PYTEST ARGUMENT…]    Needs python3 (3.9 or newer) with venv.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/target/python
venv=$work/venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --retries 1 -r "$root/tests/python/requirements.txt"
export CARGO_TARGET_DIR=$root/target
rm -rf "$work/wheels"
"$venv/bin/maturin" build --quiet --profile "${CNN_PROFILE:-release}" --interpreter "$venv/bin/python" \
    --manifest-path "$root/cnn-python/Cargo.toml" --out "$work/wheels"
"$venv/bin/pip" install --quiet --no-deps --force-reinstall "$work"/wheels/*.whl
export PYTHONDONTWRITEBYTECODE=1
"$venv/bin/python" -m pytest -q -p no:cacheprovider "$root/tests/python" "$@"
"$venv/bin/python" "$root/tests/python/python_md.py"
