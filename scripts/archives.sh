# shellcheck shell=bash
# Debian 13's archives, from the mirrors that the host's own apt uses. Sourced by whatever takes packages from there.

readonly suite=trixie
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Debian's archives as the host's own apt uses them: LABEL URI, one a line.
# shellcheck disable=SC2016 # apt's own variables
host_archives() { apt-get indextargets --format '$(LABEL) $(SITE)' 'Created-By: Packages' 'Origin: Debian' | sort -u; }

# mirror_of LABEL ARCHIVES: the first mirror of the archive with that label.
mirror_of() {
    local uri
    uri=$(sed -n "s|^$1 \([^ ]*[^ /]\)/*\$|\1|p" <<<"$2" | head -n 1)
    # Cloud images of Debian keep the address in a file, which a workspace would not have.
    [[ $uri != mirror+file:* ]] || uri=$(grep -Eo '^https?://[^[:space:]]+' "${uri#mirror+file:}" | sed 's:/*$::' | head -n 1)
    printf '%s' "$uri"
}

stanza() { printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' "$1" "$2" "$keyring"; }

write_sources() {
    local archives main security
    archives=$(host_archives)
    if [[ -z $archives ]]; then
        note "reading the package lists of the host's apt" >&2
        apt-get update -qq || true
        archives=$(host_archives)
    fi
    main=$(mirror_of Debian "$archives")
    security=$(mirror_of Debian-Security "$archives")
    [[ $main == http://* || $main == https://* ]] ||
        die "The host's apt names no Debian mirror by http or https." "Add one to /etc/apt/sources.list.d/ and run apt-get update."
    stanza "$main" "$suite $suite-updates"
    [[ -z $security ]] || stanza "$security" "$suite-security"
}
