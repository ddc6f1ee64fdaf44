# shellcheck shell=bash
# kilnd and kiln-agent as services: systemd's units where it runs, daemons of our own where not. Sourced after daemon.sh.

# unit_of kilnd: kilnd.service, or kilnd-NAME.service.
unit_of() { printf '%s%s.service' "$1" "${prefix#kiln}"; }

readonly units_directory=/etc/systemd/system
readonly tmpfiles="/etc/tmpfiles.d/$prefix.conf"
readonly logrotate="/etc/logrotate.d/$prefix"

render() {
    local kilnd agent
    kilnd=$(kilnd_run | tr '\n' ' ')
    agent=$(agent_run | tr '\n' ' ')
    sed -e "s|@PREFIX@|$prefix|g" -e "s|@KILND@|${kilnd% }|g" -e "s|@AGENT@|${agent% }|g" "$1"
}

# write_if_changed FILE: from standard input; succeeds when the file is another one now.
write_if_changed() {
    local text
    text=$(cat)
    if [[ -f $1 && $(<"$1") == "$text" ]]; then return 1; fi
    printf '%s\n' "$text" >"$1.new"
    chmod 0644 "$1.new"
    mv "$1.new" "$1"
}

install_units() {
    local name changed=no
    for name in kilnd kiln-agent; do
        if render "$scripts/systemd/$name.service.in" | write_if_changed "$units_directory/$(unit_of "$name")"; then
            changed=yes
            restart[$name]=yes
        fi
    done
    if render "$scripts/systemd/tmpfiles.conf.in" | write_if_changed "$tmpfiles"; then changed=yes; fi
    [[ $changed == no ]] || systemctl daemon-reload
    systemctl enable --quiet "$(unit_of kilnd)" "$(unit_of kiln-agent)"
}

# copytruncate, as the daemons keep their logs open for appending.
install_log_rotation() {
    [[ -d /etc/logrotate.d ]] || return 0
    printf '%s/*.log {\n    weekly\n    rotate 4\n    maxsize 50M\n    missingok\n    notifempty\n    compress\n    copytruncate\n}\n' "$log_directory" |
        write_if_changed "$logrotate" || true
}

service_is_running() {
    if has_systemd; then
        systemctl is-active --quiet "$(unit_of "$1")"
    else
        daemon_pid "$1" >/dev/null
    fi
}

service_start() {
    local command
    if has_systemd; then
        systemctl start "$(unit_of "$1")"
    elif [[ $1 == kilnd ]]; then
        mapfile -t command < <(kilnd_run)
        daemon_start kilnd setpriv --reuid "$prefix" --regid "$prefix" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
            env -i "HOME=$state_directory/kilnd" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "${command[@]}"
    else
        mapfile -t command < <(agent_run)
        daemon_start kiln-agent env -i HOME=/root "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" LANG=C.UTF-8 "${command[@]}"
    fi
}

service_stop() {
    if ! has_systemd; then
        daemon_stop "$1"
    elif service_is_running "$1"; then
        systemctl stop "$(unit_of "$1")"
        note "$1 stopped"
    fi
}

remove_services() {
    local name
    if has_systemd; then
        for name in kilnd kiln-agent; do
            systemctl disable --quiet "$(unit_of "$name")" 2>/dev/null || true
        done
    fi
    rm -f "$units_directory/$(unit_of kilnd)" "$units_directory/$(unit_of kiln-agent)" "$tmpfiles" "$logrotate"
    ! has_systemd || systemctl daemon-reload
}
