# shellcheck shell=bash
# The sign-in of the person who ran make up: a token in the configuration of kl. Sourced after instance.sh.
# A token never stands in an argument, where everybody on the host could read it.

# kl reads XDG_CONFIG_HOME/kiln/config.json; another Kiln beside the first has a folder of its own around that.
config_home() {
    local home
    home=$(getent passwd "$1" | cut -d : -f 6)/.config
    [[ $1 != "$(id -un)" || ${XDG_CONFIG_HOME-} != /* ]] || home=$XDG_CONFIG_HOME
    [[ $instance == kiln ]] || home="$home/$prefix"
    printf '%s' "$home"
}

# kl_as USER ARGUMENT...: kl with the sign-in of that user to this instance.
kl_as() {
    local user=$1
    shift
    as_user "$user" "XDG_CONFIG_HOME=$(config_home "$user")" "$kl_binary" "$@"
}

# An owner's name is a DNS label, which a Unix name need not be.
owner_name() {
    local name
    name=$(tr '[:upper:]' '[:lower:]' <<<"$1" | sed 's/[^a-z0-9-]/-/g; s/^-*//; s/-*$//' | cut -c -63)
    printf '%s' "${name:-admin}"
}

# Whether the sign-in is one to this instance, and works.
is_signed_in() {
    as_user "$1" grep -qsF "127.0.0.1:$port\"" "$(config_home "$1")/kiln/config.json" && kl_as "$1" machine list >/dev/null 2>&1
}

# A sign-in to another server is put aside, by the user whose it is: root must not follow what lies in a home.
# shellcheck disable=SC2016 # that user's shell expands it
readonly keep_other_config='if [ -e "$1" ] && ! grep -qF "$2\"" "$1"; then mv "$1" "$1.old"; fi'

sign_in() {
    local user=$1 token command
    if is_signed_in "$user"; then return; fi
    mapfile -t command < <(kilnd_command token create --owner "$(owner_name "$user")" --admin)
    token=$(as_daemon "${command[@]}")
    [[ $token =~ ^[A-Za-z0-9._~+/=-]+$ ]] || die "kilnd token create printed no token." "See $(log_file kilnd)."
    as_user "$user" sh -c "$keep_other_config" keep "$(config_home "$user")/kiln/config.json" "127.0.0.1:$port"
    kl_as "$user" config set-url "$(url)" >/dev/null
    printf '%s\n' "$token" | kl_as "$user" config set-token >/dev/null
    grep -qxF "$user" "$signed_in" 2>/dev/null || printf '%s\n' "$user" >>"$signed_in"
}

# Takes back what sign_in wrote, unless the file has become somebody else's sign-in.
# shellcheck disable=SC2016 # that user's shell expands it
readonly forget_config='
    if [ -f "$1" ] && grep -qF "$2\"" "$1"; then
        rm -f "$1"
        if [ -e "$1.old" ]; then mv "$1.old" "$1"; fi
        rmdir "$(dirname "$1")" 2>/dev/null || true
    fi
    if [ -n "$3" ]; then rmdir "$3" 2>/dev/null || true; fi
'

forget_sign_ins() {
    local user own=""
    [[ -f $signed_in && -n $port ]] || return 0
    while IFS= read -r user; do
        getent passwd "$user" >/dev/null || continue
        [[ $instance == kiln ]] || own=$(config_home "$user")
        as_user "$user" sh -c "$forget_config" forget "$(config_home "$user")/kiln/config.json" "127.0.0.1:$port" "$own"
    done <"$signed_in"
}
