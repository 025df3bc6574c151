#!/usr/bin/env bash
# The C interface with everything: its programs under AddressSanitizer and valgrind, the installed library, and docs/c.md.
# usage: tests/c/run.sh    Installs valgrind and pkg-config with apt-get where they are missing and it may.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
missing=()
for tool in valgrind pkg-config; do command -v "$tool" > /dev/null || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq && apt-get install -y -qq "${missing[@]}" > /dev/null
fi
cd "$root"
CNN_C_TOOLS=required cargo test --quiet -p cnn-capi

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
