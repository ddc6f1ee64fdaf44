# shellcheck shell=bash
# Which Kiln of this host is meant, and where its things are. Sourced after lib.sh.
# INSTANCE (default kiln), SLOT and PORT come from the caller; what was chosen once is remembered in /etc/PREFIX/instance.env.

readonly default_port=7433
readonly slot_count=32

instance=${INSTANCE:-kiln}
[[ $instance =~ ^[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?$ ]] ||
    die "“$instance” is no name for an instance." "Use 1 to 8 of a-z, 0-9 and -, with no - at either end."
prefix=kiln
[[ $instance == kiln ]] || prefix="kiln-$instance"
readonly instance prefix

# shellcheck disable=SC2034 # the scripts that source this use them
{
    readonly state_directory="/var/lib/$prefix"
    readonly runtime_directory="/run/$prefix"
    readonly log_directory="/var/log/$prefix"
    readonly library_directory="/usr/local/lib/$prefix"
    readonly settings_directory="/etc/$prefix"
    readonly settings="$settings_directory/instance.env"
    # Who was given a sign-in here, one user a line: purge takes it back.
    readonly signed_in="$settings_directory/signed-in"
    # The folder with kl in it is what workspaces see, so nothing else lies there.
    readonly kl_binary="$library_directory/bin/kl"
    # The command's name: kl for the first Kiln of a host, kl-NAME for another beside it.
    kl_name=kl
    [[ $instance == kiln ]] || kl_name="kl-$instance"
}

# setting KEY FILE: the value, or nothing.
setting() { [[ ! -f $2 ]] || sed -n "s/^$1=//p" "$2"; }

# Settings of the other instances of this host.
other_settings() {
    local file
    for file in /etc/kiln/instance.env /etc/kiln-*/instance.env; do
        if [[ -f $file && $file != "$settings" ]]; then printf '%s\n' "$file"; fi
    done
}

# values_of_others KEY: what they have taken, one a line.
values_of_others() {
    local file
    while IFS= read -r file; do
        setting "$1" "$file"
    done < <(other_settings)
}

is_taken() { values_of_others "$1" | grep -qxF "$2"; }
is_listening() { ss -Hltn "sport = :$1" | grep -q .; }

choose_slot() {
    local slot
    for ((slot = 0; slot < slot_count; slot++)); do
        # Slot 0 is the first Kiln's, also when that comes later.
        [[ $instance == kiln || $slot != 0 ]] || continue
        is_taken SLOT "$slot" || break
    done
    ((slot < slot_count)) || die "All $slot_count slots of this host are taken." "Purge an instance: INSTANCE=name make purge."
    printf '%s' "$slot"
}

choose_port() {
    local port=$default_port
    [[ $instance == kiln ]] || port=$((default_port + 1))
    if [[ $instance == kiln ]]; then
        ! is_listening "$port" || die "Another program listens on port $port." "Choose another port: PORT=8433 make up."
    fi
    while is_taken PORT "$port" || is_listening "$port"; do port=$((port + 1)); done
    printf '%s' "$port"
}

is_number() { [[ $1 =~ ^(0|[1-9][0-9]{0,4})$ ]]; }

# What was remembered; the caller's wish if there is nothing yet.
read_settings() {
    slot=$(setting SLOT "$settings")
    port=$(setting PORT "$settings")
    [[ -z $slot || -z ${SLOT-} || $slot == "$SLOT" ]] ||
        die "The instance $instance has the slot $slot, not $SLOT: its addresses hang on it." "Purge it first: INSTANCE=$instance make purge."
    [[ -z $port || -z ${PORT-} || $port == "$PORT" ]] ||
        die "The instance $instance has the port $port, not $PORT." "Change it in $settings, then make down and make up."
    slot=${slot:-${SLOT-}}
    port=${port:-${PORT-}}
}

settle_settings() {
    read_settings
    slot=${slot:-$(choose_slot)}
    port=${port:-$(choose_port)}
    if ! is_number "$slot" || ((slot >= slot_count)); then die "“$slot” is no slot." "Use 0 to $((slot_count - 1))."; fi
    if ! is_number "$port" || ((port < 1 || port > 65535)); then die "“$port” is no port." "Use 1 to 65535."; fi
    ! is_taken SLOT "$slot" || die "Another instance has the slot $slot." "Leave SLOT away: a free one is chosen."
    ! is_taken PORT "$port" || die "Another instance has the port $port." "Leave PORT away: a free one is chosen."
    [[ ! -f $settings ]] || return 0
    install -d -m 0755 "$settings_directory"
    printf 'INSTANCE=%s\nSLOT=%s\nPORT=%s\n' "$instance" "$slot" "$port" >"$settings"
}

url() { printf 'http://127.0.0.1:%s' "$port"; }

# The command lines of the programs, here and nowhere else, one argument a line; the units are made from them too.
kilnd_command() {
    printf '%s\n' "$library_directory/kilnd" "$@" --instance "$instance" --slot "$slot" \
        --state-directory "$state_directory/kilnd" --runtime-directory "$runtime_directory"
}
kilnd_run() { kilnd_command run; printf '%s\n' --port "$port"; }

agent_command() {
    printf '%s\n' "$1" "$2" --instance "$instance" --slot "$slot" \
        --state-directory "$state_directory" --runtime-directory "$runtime_directory"
}
agent_run() {
    agent_command "$library_directory/kiln-agent" run
    printf '%s\n' --peer-user "$prefix" --tools-directory "${kl_binary%/*}" --base-image "$state_directory/images/workspace.tar" \
        --packages-file "$settings_directory/packages.json"
}

# The person who types: the one behind sudo, or root.
invoking_user() {
    local user=${SUDO_USER:-root}
    getent passwd "$user" >/dev/null || user=root
    printf '%s' "$user"
}

# as_user USER COMMAND...: with that user's home and little else, so that nobody's KL or Swift settings leak in.
as_user() {
    local user=$1 home
    shift
    home=$(getent passwd "$user" | cut -d : -f 6)
    (
        cd /
        exec runuser -u "$user" -- env -i "HOME=$home" "USER=$user" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "$@"
    )
}

# as_daemon COMMAND...: as the user of kilnd, with no way to become more.
as_daemon() {
    (
        cd /
        exec setpriv --reuid "$prefix" --regid "$prefix" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
            env -i "HOME=$state_directory/kilnd" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "$@"
    )
}
