# Sourced by `run` and `long`: named and timed steps, and the tools they need.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}" CARGO_INCREMENTAL=0 CARGO_TERM_PROGRESS_WHEN=never
tools="${CI_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/tower-lambda-authorizer}"
export PATH="$tools/bin:$PATH"

current="" timings=""

# step NAME COMMAND...: runs a command or a function under a header. The first that fails ends everything.
step() {
    current=$1
    shift
    local begun=$SECONDS
    printf '\n=== %s\n' "$current"
    "$@"
    timings+="$(printf '%5d s  %s' "$((SECONDS - begun))" "$current")"$'\n'
    printf '=== %s: passed in %d s\n' "$current" "$((SECONDS - begun))"
    current=""
}

summary() {
    local code=$?
    if [ -n "$current" ]; then
        printf '\n=== FAILED: %s (exit code %d)\n' "$current" "$code" >&2
    else
        printf '\n%s%5d s  in all\n' "$timings" "$SECONDS"
    fi
}
trap summary EXIT

# package NAME: installs a system package.
package() {
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" ||
        { "${root[@]}" apt-get update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1"; }
}

# have COMMAND PACKAGE: makes sure that a command is there.
have() {
    command -v "$1" >/dev/null || package "$2"
}

# cargo_tool NAME: makes sure that `cargo NAME` is there.
cargo_tool() {
    command -v "cargo-$1" >/dev/null || cargo install "cargo-$1" --locked --root "$tools"
}

# component CARGO-COMMAND COMPONENT: makes sure that a part of the toolchain is there.
component() {
    cargo "$1" --version || { rustup component add "$2" && cargo "$1" --version; }
}
