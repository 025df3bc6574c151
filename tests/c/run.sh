#!/usr/bin/env bash
# Installs the C library and runs every line of docs/c.md against it. The C interface's other tests are cargo's; with
# `CNN_C_TOOLS=required` they skip nothing.
# usage: [CNN_PROFILE=dev] tests/c/run.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/tests/c/setup.sh"
cd "$root"
work=$root/target/c
rm -rf "$work"
mkdir -p "$work"
export PREFIX=$work/prefix
cargo build --quiet --bin cnn
export PATH=$root/target/debug:$PATH
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' docs/c.md > "$work/page.c"
# The shell's lines, all in one shell, from the clone's root with the page's program beside them.
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' docs/c.md > "$work/page.sh"
ln -s "$root/cnn-capi" "$work/cnn-capi"
(cd "$work" && bash -euxo pipefail page.sh)
echo "every line of docs/c.md runs"
