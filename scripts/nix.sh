# shellcheck shell=bash
# The Nix store that all instances of a host share, and where this one's packages come from. Sourced after instance.sh.

readonly nix_directory=/nix
# What of it Kiln made, a word a line: a store that was here before is not Kiln's to remove.
readonly nix_mark="$nix_directory/.kiln"
readonly build_group=nixbld
readonly build_user_count=10
readonly package_settings="$settings_directory/packages.json"

prepare_nix() {
    [[ -d $nix_directory/store ]] || made_nix store
    make_build_users
    write_package_settings
    # The agent reads it when it starts.
    if ! cmp -s "$package_settings" "$library_directory/packages.json"; then
        cp "$package_settings" "$library_directory/packages.json"
        restart[kiln-agent]=yes
    fi
}

made_nix() {
    install -d -m 0755 "$nix_directory"
    grep -qx "$1" "$nix_mark" 2>/dev/null || printf '%s\n' "$1" >>"$nix_mark"
}

# Builds run as these, one each, so that none sees or stops another.
make_build_users() {
    local number
    [[ -z $(getent group "$build_group" | cut -d : -f 4) ]] || return 0
    made_nix users
    getent group "$build_group" >/dev/null || groupadd --system "$build_group"
    for ((number = 1; number <= build_user_count; number++)); do
        useradd --system --no-create-home --home-dir /var/empty --shell /usr/sbin/nologin --gid "$build_group" --groups "$build_group" \
            --comment "Nix build user $number" "$build_group$number"
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

# What Kiln made of Nix, once no instance has anything in the store.
remove_nix() {
    local user
    [[ -f $nix_mark && -z $(compgen -G "$nix_directory/var/nix/gcroots/kiln*" || true) ]] || return 0
    if grep -qx users "$nix_mark"; then
        for user in $(getent group "$build_group" | cut -d : -f 4 | tr , ' '); do userdel "$user"; done
        ! getent group "$build_group" >/dev/null || groupdel "$build_group"
    fi
    if grep -qx store "$nix_mark"; then
        note "removing the Nix store"
        rm -rf --one-file-system "$nix_directory"
    else
        rm -f "$nix_mark"
    fi
}
