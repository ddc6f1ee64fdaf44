# shellcheck shell=bash
# The Nix store that all instances of a host share, and where this one's packages come from. Sourced after instance.sh.

readonly nix_directory=/nix
# What Kiln made, a thing a line: directory, store, group, user NAME. What was here before, or came since, is not Kiln's to remove.
readonly nix_mark="$nix_directory/.kiln"
readonly build_group=nixbld
readonly build_user_count=10
readonly package_settings="$settings_directory/packages.json"

prepare_nix() {
    make_nix_directory
    [[ -d $nix_directory/store ]] || mark_made store
    make_build_users
    write_package_settings
    # The agent reads it when it starts.
    if ! cmp -s "$package_settings" "$library_directory/packages.json"; then
        cp "$package_settings" "$library_directory/packages.json"
        restart[kiln-agent]=yes
    fi
}

# With its mark from the first moment on.
make_nix_directory() {
    [[ ! -d $nix_directory ]] || return 0
    install -d -m 0755 "$nix_directory.new"
    printf 'directory\n' >"$nix_directory.new/${nix_mark##*/}"
    mv -T "$nix_directory.new" "$nix_directory"
}

is_made() { grep -qx "$1" "$nix_mark" 2>/dev/null; }

# Before it is made: what is cut off in between is finished, or removed, by the next up or purge.
mark_made() { is_made "$1" || printf '%s\n' "$1" >>"$nix_mark"; }

build_users() { getent group "$build_group" | cut -d : -f 4; }
made_users() { sed -n 's/^user //p' "$nix_mark" 2>/dev/null || true; }

# Builds run as these, one each, so that none sees or stops another.
make_build_users() {
    local number user
    # Those of somebody else are as good.
    [[ -z $(build_users) || -n $(made_users) ]] || return 0
    if ! getent group "$build_group" >/dev/null; then
        mark_made group
        groupadd --system "$build_group"
    fi
    for ((number = 1; number <= build_user_count; number++)); do
        user="$build_group$number"
        ! getent passwd "$user" >/dev/null || continue
        mark_made "user $user"
        useradd --system --no-create-home --home-dir /var/empty --shell /usr/sbin/nologin --gid "$build_group" --groups "$build_group" \
            --comment "Nix build user $number" "$user"
    done
}

# nixpkgs where it can be reached, Debian's own packages everywhere. Written once: from then on the file is the administrator's.
write_package_settings() {
    local sources="" suite
    if [[ -f $package_settings ]]; then return; fi
    if curl --fail --silent --output /dev/null --max-time 3 https://cache.nixos.org/nix-cache-info; then
        sources='{ "name": "nixpkgs", "type": "nixpkgs" },
        '
        note "packages come from nixpkgs, then Debian; $package_settings says so"
    else
        note "packages come from Debian, as nixpkgs' cache does not answer; $package_settings says so"
    fi
    suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    if [[ $suite == trixie ]]; then suite='"trixie"'; else suite="\"$suite\", \"trixie\""; fi
    cat >"$package_settings.new" <<END
{
    "sources": [
        ${sources}{ "name": "debian", "type": "debian", "suites": [$suite] }
    ]
}
END
    chmod 0644 "$package_settings.new"
    mv "$package_settings.new" "$package_settings"
}

# This instance's links into the store, where there was no agent to take them away.
remove_roots() { rm -rf "$nix_directory/var/nix/gcroots/$prefix"; }

# What Kiln made of Nix, once no instance has anything in the store.
remove_nix() {
    local holder
    [[ -f $nix_mark && -z $(compgen -G "$nix_directory/var/nix/gcroots/kiln*" || true) ]] || return 0
    if is_made store; then
        holder=$(root_of_others)
        if [[ -n $holder ]]; then
            note "the Nix store and its build users stay: $holder keeps something in it"
            return 0
        fi
        note "removing the Nix store"
        rm -rf --one-file-system "${nix_directory:?}"/{store,var}
    fi
    remove_build_users
    if is_made directory; then rm -rf --one-file-system "$nix_directory"; else rm -f "$nix_mark"; fi
}

# A profile, or the result of a build, that somebody made in the store since: links that lead somewhere, but for Nix's own to the profiles.
root_of_others() {
    find "$nix_directory"/var/nix/{profiles,gcroots} -type l ! -xtype l ! -path "$nix_directory/var/nix/gcroots/profiles" -print -quit 2>/dev/null ||
        true
}

remove_build_users() {
    local user group_id
    for user in $(made_users); do ! getent passwd "$user" >/dev/null || userdel "$user"; done
    is_made group || return 0
    group_id=$(getent group "$build_group" | cut -d : -f 3) || return 0
    # Somebody may have put users of their own into it.
    [[ -n $(build_users) ]] || getent passwd | cut -d : -f 4 | grep -qx "$group_id" || groupdel "$build_group"
}
