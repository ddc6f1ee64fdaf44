#!/bin/bash
# nix-host.sh CHECKOUT [DEBIAN]: what make up does to Nix on a host and make purge undoes, on hosts that had Nix and hosts that had not. Each host is
# a folder of its own: a copy-on-write one of DEBIAN, the root of a Debian with nix-bin; without it, a bare one around this host's /usr.
# For namespaces of its own: unshare --mount --propagation private --net --pid --fork.
set -euo pipefail

readonly checkout=$1 debian=${2-}
place=$(mktemp -d)
readonly place host="$place/host"
trap 'umount --recursive "$place"; rmdir "$place"' EXIT

say() { printf '%s\n' "$*"; }
fail() { say "✗ $scenario: $*" >&2; exit 1; }

# begin SCENARIO: a new host.
begin() {
    scenario=$1
    ! mountpoint -q "$place" || umount --recursive "$place"
    mount -t tmpfs -o mode=0755 tmpfs "$place"
    mkdir -p "$host"
    if [[ -n $debian ]]; then
        mkdir "$place/upper" "$place/work"
        mount -t overlay -o "lowerdir=$debian,upperdir=$place/upper,workdir=$place/work" overlay "$host"
    else
        make_bare_host
    fi
    mkdir -p "$host"/{proc,dev,kiln/scripts,run/lock,tmp}
    mount -t proc proc "$host/proc"
    mount --rbind --make-rslave /dev "$host/dev"
    mount --bind "$checkout/scripts" "$host/kiln/scripts"
    mount -o remount,bind,ro "$host/kiln/scripts"
    before=$(state)
}

make_bare_host() {
    local name
    mkdir -p "$host"/{usr,root,etc,var/lib,var/log,var/cache}
    mount --bind /usr "$host/usr"
    mount -o remount,bind,ro "$host/usr"
    # Programs that were installed here are not the host's.
    mount -t tmpfs tmpfs "$host/usr/local"
    for name in bin sbin lib lib64; do ln -s "usr/$name" "$host/$name"; done
    for name in passwd group shadow gshadow login.defs nsswitch.conf pam.d security default ld.so.cache os-release; do
        cp -a "/etc/$name" "$host/etc/"
    done
    sed -i '/^\(nixbld\|kiln\)/d' "$host"/etc/{passwd,group,shadow,gshadow}
}

# inside TEXT: runs it in the host's root.
inside() {
    chroot "$host" /usr/bin/env -i HOME=/root LANG=C.UTF-8 "PATH=/tmp/programs:/usr/sbin:/usr/bin:/sbin:/bin" /bin/bash -euo pipefail -c "$1"
}

# What make up does before it builds and starts anything. up [NAME]
up() {
    inside "export INSTANCE=${1:-kiln}"'
        . /kiln/scripts/lib.sh; . /kiln/scripts/instance.sh; . /kiln/scripts/nix.sh
        declare -A restart=()
        install -d "$settings_directory" "$library_directory"
        printf "INSTANCE=%s\nSLOT=%s\nPORT=%s\n" "$instance" "${#instance}" 7433 >"$settings"
        prepare_nix' >/dev/null
}

# The same, killed when it is about to make the fourth user.
up_killed_in_between() {
    mkdir "$host/tmp/programs"
    cat >"$host/tmp/programs/useradd" <<'END'
#!/bin/bash
if [[ $* == *nixbld4 ]]; then kill -9 "$PPID"; exit 1; fi
exec /usr/sbin/useradd "$@"
END
    chmod 755 "$host/tmp/programs/useradd"
    ! up 2>/dev/null || fail "nothing was killed"
    rm -r "$host/tmp/programs"
    has 'getent passwd nixbld3 && ! getent passwd nixbld4'
}

purge() { inside "INSTANCE=${1:-kiln} YES=1 /kiln/scripts/purge"; }

# What a host is, as far as Kiln and Nix could change it.
state() {
    inside '
        cat /etc/{passwd,group,shadow,gshadow}
        find /etc /var /root /nix -path /var/cache/ldconfig -prune -o -printf "%p %y %m %u %g %l\n" 2>/dev/null | sort |
            grep -vE "^/etc/(passwd|group|shadow|gshadow|subuid|subgid)- |^/etc/.pwd.lock |^/var/lib/apt/|^/var/cache/apt/" || true'
}

is_as_before() { diff <(printf '%s\n' "$before") <(state) || fail "the host is not as it was before"; }
has() { inside "$1" >/dev/null 2>&1 || fail "not so: $1"; }

# Uses the store: a file in it, and a link of the instance that keeps it.
fill() {
    inside 'nix-store --init; echo something >/tmp/something; path=$(nix-store --add /tmp/something)
        mkdir -p /nix/var/nix/gcroots/kiln/pending; ln -s "$path" /nix/var/nix/gcroots/kiln/pending/x; printf "%s\n" "$path"'
}

begin "a host without Nix"
up
up
has '[[ $(getent group nixbld | cut -d : -f 4 | tr , "\n" | wc -l) == 10 ]]'
fill >/dev/null
purge >/dev/null
is_as_before
purge >/dev/null
is_as_before

begin "make up was killed while it made users, then gone on with"
up_killed_in_between
up
has '[[ $(getent group nixbld | cut -d : -f 4 | tr , "\n" | wc -l) == 10 ]]'
purge >/dev/null
is_as_before

begin "make up was killed while it made users, then purged"
up_killed_in_between
purge >/dev/null
is_as_before

begin "a host with Nix"
inside 'groupadd --system nixbld; for n in 1 2; do useradd --system --gid nixbld --groups nixbld nixbld$n; done'
path=$(fill)
inside "rm -r /nix/var/nix/gcroots/kiln; ln -s $path /nix/var/nix/profiles/own"
before=$(state)
up
has '[[ $(getent group nixbld | cut -d : -f 4) == nixbld1,nixbld2 ]]'
fill >/dev/null
purge >/dev/null
is_as_before
purge >/dev/null
is_as_before

begin "a host with a store and no users for builds"
inside 'mkdir -p /nix/store /nix/var/nix; touch /nix/store/own'
before=$(state)
up
has 'getent passwd nixbld10'
purge >/dev/null
is_as_before

begin "a host with a folder for the store, and a group"
inside 'mkdir /nix; groupadd --system nixbld'
before=$(state)
up
fill >/dev/null
purge >/dev/null
is_as_before

begin "somebody uses the store that Kiln made"
up
path=$(fill)
inside "ln -s $path /nix/var/nix/profiles/own; useradd --groups nixbld ada"
[[ $(purge) == *"/nix/var/nix/profiles/own keeps something"* ]] || fail "nobody was told that the store stays"
has "[[ -e $path ]] && getent passwd nixbld10 && getent passwd ada"
inside 'rm /nix/var/nix/profiles/own'
purge >/dev/null
has '[[ ! -e /nix ]] && ! getent passwd nixbld1'
has '[[ $(getent group nixbld | cut -d : -f 4) == ada ]]'
inside 'userdel ada; groupdel nixbld; rm -f /var/mail/ada'
is_as_before

begin "two instances"
up
up two
path=$(fill)
purge two >/dev/null
has "[[ -e $path ]] && getent passwd nixbld10"
purge >/dev/null
is_as_before

say "✓"
