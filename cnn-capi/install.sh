#!/usr/bin/env bash
# Builds the C library and installs it: PREFIX/include/cnn.h, PREFIX/lib/libcnn.{so,a}, PREFIX/lib/pkgconfig/cnn.pc.
# usage: [CNN_PROFILE=dev] cnn-capi/install.sh PREFIX
set -euo pipefail
root=$(cd -P "$(dirname "$0")" && cd .. && pwd)
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
profile=${CNN_PROFILE:-release}
cargo build --quiet --profile "$profile" --manifest-path "$root/Cargo.toml" -p cnn-capi
# The profile `dev` has the folder `debug`.
built=${CARGO_TARGET_DIR:-$root/target}/${profile/#dev/debug}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
install -d "$prefix/include" "$prefix/lib/pkgconfig"
install -m 644 "$root/cnn-capi/include/cnn.h" "$prefix/include/cnn.h"
install -m 644 "$built/libcnn_capi.a" "$prefix/lib/libcnn.a"
install -m 755 "$built/libcnn_capi.so" "$prefix/lib/libcnn.so.$version"
ln -sf "libcnn.so.$version" "$prefix/lib/libcnn.so.0"
ln -sf libcnn.so.0 "$prefix/lib/libcnn.so"
sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" "$root/cnn-capi/cnn.pc.in" > "$prefix/lib/pkgconfig/cnn.pc"
