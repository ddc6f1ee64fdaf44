# shellcheck shell=bash
# What every script here shares: where things are and how to say what happens. Sourced, never run.
set -euo pipefail

# Cron and sudo leave out the folders for system programs, and Swift is often unpacked into /opt.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/opt/swift/usr/bin"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
readonly scripts="$root/scripts"
readonly release_directory="$root/.build-release/out"
readonly cache_directory=/var/cache/kiln
readonly products=(kilnd kiln-agent kl)

current_step=""

say() { printf '%s\n' "$*"; }
note() { printf '  %s\n' "$*"; }

# die WHAT [MEND]: says what happened and what mends it.
die() {
    printf '✗ %s\n' "$1" >&2
    [[ -z ${2-} ]] || printf '  %s\n' "$2" >&2
    current_step=""
    exit 1
}

microseconds() { printf '%s' "${EPOCHREALTIME//[.,]/}"; }

# elapsed STARTED: the time since `microseconds` said STARTED, for people.
elapsed() {
    local tenths=$((($(microseconds) - $1) / 100000))
    if ((tenths < 1200)); then
        printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
    else
        printf '%d min %d s' $((tenths / 600)) $((tenths / 10 % 60))
    fi
}

# step TITLE COMMAND...: runs the command here, so that `set -e` still holds in it, then ticks it off with its time.
step() {
    local started
    started=$(microseconds)
    current_step=$1
    shift
    "$@"
    printf '✓ %-10s %s\n' "$current_step" "$(elapsed "$started")"
    current_step=""
}

say_which_step_failed() { [[ -z $current_step ]] || printf '✗ %s failed\n' "$current_step" >&2; }
trap say_which_step_failed EXIT

require_root() {
    ((EUID == 0)) || die "This needs root: it makes users, namespaces and containers." "Run it again with sudo."
}

require_debian() {
    local id="" version=""
    if [[ -r /etc/os-release ]]; then
        id=$(. /etc/os-release && printf '%s' "${ID-}")
        version=$(. /etc/os-release && printf '%s' "${VERSION_ID-}")
    fi
    [[ $id == debian && ($version == 12 || $version == 13) ]] ||
        die "Kiln is made for Debian 12 and 13, and this is ${id:-an unknown system} ${version}." "Use a Debian 12 or 13 host."
}

# The tools version of Package.swift is the oldest Swift that reads it.
require_swift() {
    local wanted found
    wanted=$(sed -n '1s/.*swift-tools-version:[[:space:]]*//p' "$root/Package.swift")
    command -v swift >/dev/null ||
        die "swift is neither on the PATH nor in /opt/swift/usr/bin." "Install Swift $wanted or newer from https://www.swift.org/install/linux/."
    found=$(swift --version 2>&1 | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
    [[ -n $found ]] || die "swift does not start: $(swift --version 2>&1 | head -n 1)" "Install the libraries it names, then run this again."
    [[ $(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1) == "$wanted" ]] ||
        die "Swift $found at $(command -v swift) is too old; Kiln needs $wanted." "Install a newer one from https://www.swift.org/install/linux/."
}

has_systemd() { [[ -d /run/systemd/system ]]; }

# hold_lock: one of up, down and purge at a time, on the whole host, as instances choose slots and ports beside each other.
hold_lock() {
    exec {lock_descriptor}>/run/lock/kiln.lock
    flock --nonblock "$lock_descriptor" || { note "waiting for another make up, down or purge"; flock "$lock_descriptor"; }
}
