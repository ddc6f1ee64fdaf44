# shellcheck shell=bash
# Daemons without a service manager: started in a session of their own, known by a pid file, stopped by signal. Sourced after instance.sh.
# A pid file holds the process id and its start time; with the program's path they say who it is, as ids are used again.

pid_file() { printf '%s/%s.pid' "$runtime_directory" "$1"; }
log_file() { printf '%s/%s.log' "$log_directory" "$1"; }

# Field 22 of /proc/PID/stat (proc(5)), counted behind the program's name, which may hold blanks and brackets.
start_time() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra fields <<<"${stat##*) }"
    printf '%s' "${fields[19]}"
}

# runs_program PID PROGRAM: also when the file was replaced since it started.
runs_program() {
    local executable
    executable=$(readlink "/proc/$1/exe" 2>/dev/null) || return 1
    [[ ${executable% (deleted)} == "$2" ]]
}

# daemon_pid NAME: prints its process id; fails when it does not run.
daemon_pid() {
    local pid="" started=""
    [[ -f $(pid_file "$1") ]] || return 1
    read -r pid started <"$(pid_file "$1")" || true
    [[ $pid =~ ^[1-9][0-9]*$ && $(start_time "$pid") == "$started" ]] || return 1
    runs_program "$pid" "$library_directory/$1" || return 1
    printf '%s' "$pid"
}

# Whatever make, a lock or a terminal left open here is no business of a daemon.
close_inherited_descriptors() {
    local descriptor
    for descriptor in /proc/"$BASHPID"/fd/*; do
        descriptor=${descriptor##*/}
        # 255 is bash's own and closes itself.
        ((descriptor <= 2 || descriptor == 255)) || eval "exec $descriptor>&-"
    done
}

# daemon_start NAME COMMAND...: COMMAND ends in the program library_directory/NAME, by way of setpriv or not.
daemon_start() {
    local name=$1 log pid
    shift
    log=$(log_file "$name")
    [[ -e $log ]] || install -m 0640 /dev/null "$log"
    (
        cd /
        umask 022
        ulimit -Sn "$(ulimit -Hn)"
        close_inherited_descriptors
        exec setsid "$@"
    ) </dev/null >>"$log" 2>&1 &
    pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$(pid_file "$name")"
    await_program "$pid" "$name"
    disown "$pid"
}

# Between fork and exec the process is still a shell; a program that ends at once never appears.
await_program() {
    local attempt
    for ((attempt = 0; attempt < 200; attempt++)); do
        if runs_program "$1" "$library_directory/$2"; then return; fi
        [[ -d /proc/$1 ]] || break
        sleep 0.01
    done
    show_log "$2"
    die "$2 did not start." "Its last words are above, all of them in $(log_file "$2")."
}

# daemon_stop NAME: asks it to end and waits until it has.
daemon_stop() {
    local pid
    if pid=$(daemon_pid "$1"); then
        kill -TERM "$pid"
        # pidwait fails where nothing is left to wait for.
        timeout 30 pidwait --pidfile "$(pid_file "$1")" || true
        ! daemon_pid "$1" >/dev/null || die "$1 (process $pid) did not end within 30 s." "See $(log_file "$1"), then end it with kill -9 $pid."
        note "$1 stopped"
    fi
    rm -f "$(pid_file "$1")"
}

show_log() {
    if has_systemd; then
        journalctl --no-pager --lines 20 --unit "$(unit_of "$1")" >&2
    else
        tail -n 20 "$(log_file "$1")" >&2 || true
    fi
}
