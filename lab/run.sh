# One run of QEMU: its channels, the time limits, the exit status. Sourced after guest.sh.
#
# QEMU is given pairs of named pipes in a private directory: its monitor (fd 7 in, 3 out), the guest's
# console (fd 9 in, 4 out), and events with their commands (fd 6 in, 5 out). What an event is, and when the
# end mark comes at the end of the console, is each script's own.

readonly GUEST_CRASHED=126
readonly GUEST_IDLE=124
readonly END_OF_CONSOLE=$'\x1elab:end'

run= qemu= filter= follower= reader= kept_log= started_at=

elapsed() {
    local now=${EPOCHREALTIME/[.,]/}
    printf '%d.%02d' $(((now - started_at) / 1000000)) $(((now - started_at) / 10000 % 100))
}

# end_process PID [SIGNAL]
end_process() {
    [ -n "$1" ] || return 0
    kill -s "${2:-TERM}" "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

clean_up() {
    trap '' INT TERM HUP
    end_process "$reader"
    # One that writes to a pipe that is not read any more does not hear SIGTERM; it has nothing to lose.
    end_process "$qemu" KILL
    end_process "$filter"
    end_process "$follower"
    [ -z "$run" ] || rm -rf "$run"
    run= qemu= filter= follower= reader=
}

# A signal that comes when the EXIT trap has begun ends that trap, so this does not leave the work to it.
interrupted() {
    trap '' INT TERM HUP
    say "interrupted after $(elapsed) s"
    clean_up
    exit 130
}

begin_run() {
    kept_log=${log:-$LAB_TARGET/failed-$$.log}
    run=$(mktemp -d "${TMPDIR:-/tmp}/lab.XXXXXX")
    trap clean_up EXIT
    trap interrupted INT TERM HUP
    log=${log:-$run/host.log}
    exec 8<&0
}

# The private directory goes away at the end; a log whose path is printed stays.
keep_log() {
    mkdir -p "$(dirname "$kept_log")"
    [ "$log" = "$kept_log" ] || cp -f "$log" "$kept_log"
}

# lab_failed REASON: keeps the log where its reader can find it.
lab_failed() {
    keep_log
    say "the host's log: $kept_log"
    tail -n 15 "$log" | tr -d '\r' | sed 's/^/lab: | /' >&2
    fail "$*"
}

# Some machines offer a /dev/kvm that runs no ordinary guest; the CPU's flags tell.
kvm_works() {
    [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo
}

# The options for the channels; open_channels makes the pipes.
channel_arguments() {
    printf '%s\n' -nodefaults -no-user-config -display none \
        -chardev "pipe,id=monitor,path=$run/monitor" -mon chardev=monitor,mode=readline \
        -chardev "pipe,id=console,path=$run/console" -chardev "pipe,id=events,path=$run/events"
}

# network_options [ADDRESS]: the rest of a user network's options; forwarded ports lead to the address.
network_options() {
    local forward
    printf '%s' "${user_network:+,$user_network}"
    for forward in ${forwards[@]+"${forwards[@]}"}; do
        printf ',hostfwd=tcp:127.0.0.1:%s-%s:%s' "${forward%%:*}" "$1" "${forward##*:}"
    done
}

open_channels() {
    local pipe
    for pipe in monitor console events; do
        mkfifo "$run/$pipe.in" "$run/$pipe.out"
    done
    exec 3<>"$run/monitor.out" 4<>"$run/console.out" 5<>"$run/events.out"
    exec 6<>"$run/events.in" 7<>"$run/monitor.in" 9<>"$run/console.in"
    : >"$run/console.log"
    : >"$log"
    if [ "$verbose" = yes ]; then
        tail -n +1 -F "$log" >&2 2>/dev/null &
        follower=$!
    fi
}

start_qemu() {
    setpriv --pdeathsig KILL qemu-system-x86_64 "${arguments[@]}" >"$run/qemu.out" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 9>&- &
    qemu=$!
}

# next_event: reads an event into `event`, waiting for at most a second. What `read` has of a line when its time is up is
# kept: the rest comes with a later call.
part_of_event=
next_event() {
    event=
    if IFS= read -r -t 1 event <&5; then
        event=$part_of_event$event part_of_event=
        return
    fi
    part_of_event+=$event
    return 1
}

qemu_runs() {
    kill -0 "$qemu" 2>/dev/null
}

# QEMU knows which ports it got; its monitor answers with lines like
#   TCP[HOST_FORWARD]  13       127.0.0.1 45678       10.0.2.15  8080
#
# report_forwards [COUNT]: of as many forwards; by default of those of --forward.
report_forwards() {
    local line pattern='HOST_FORWARD\][[:space:]]+[0-9]+[[:space:]]+127\.0\.0\.1[[:space:]]+([0-9]+)[[:space:]]+[0-9.]+[[:space:]]+([0-9]+)' left=${1:-${#forwards[@]}}
    [ "$left" -gt 0 ] || return 0
    printf 'info usernet\n' >&7
    while [ "$left" -gt 0 ]; do
        if ! IFS= read -r -t 1 line <&3; then
            qemu_runs || lab_failed "QEMU did not start: $(tail -n 3 "$run/qemu.out")"
            continue
        fi
        [[ $line =~ $pattern ]] || continue
        say "forward 127.0.0.1:${BASH_REMATCH[1]} to ${BASH_REMATCH[2]}"
        left=$((left - 1))
    done
}

# Copies the guest's console to standard output up to the end mark.
follow_console() {
    LC_ALL=C sed -u -e 's/\r$//' -e "/$END_OF_CONSOLE/{s/\x1e.*//;/./!Q;w $run/console.log"'
        q}' -e "w $run/console.log" <&4 &
    filter=$!
}

await_console_end() {
    wait "$filter" || true
    filter=
}

# Commands from standard input, each given to `obey` of the script.
read_commands() {
    local command argument
    while read -r command argument; do
        if [ "$command" = quit ]; then
            kill -TERM $$
            return
        fi
        obey "$command" "$argument"
    done
}

start_reading_commands() {
    [ "$control" = yes ] || return 0
    read_commands <&8 &
    reader=$!
}

# ---- Time limits ----
#
# A limit on silence counts the time that the run had: the wall's, less that in which QEMU waited for a CPU while others
# had it (the longest wait among its threads; proc(5), schedstat). So other work on the machine does not use it up, a
# guest that spins or sleeps for ever does. The limits in use are many times what a guest needs on a machine of its own,
# for machines that are slow themselves.

declare -A waited=()
had=0 counted_until=

# Adds to `had`, in microseconds, the time since the last call.
count_time() {
    local now=${EPOCHREALTIME/[.,]/} file total longest=0
    for file in /proc/"$qemu"/task/*/schedstat; do
        { read -r _ total _ <"$file"; } 2>/dev/null || continue
        total=$((total / 1000))
        if [ $((total - ${waited[$file]:-$total})) -gt "$longest" ]; then
            longest=$((total - waited[$file]))
        fi
        waited[$file]=$total
    done
    if [ -n "$counted_until" ] && [ $((now - counted_until)) -gt "$longest" ]; then
        had=$((had + now - counted_until - longest))
    fi
    counted_until=$now
}

# Seconds the run had since start_watch or since one of the files given to watch_for_output grew.
quiet=0
watched_sizes= heard_at=0

start_watch() {
    watched_sizes= heard_at=$had quiet=0
}

watch_for_output() {
    local sizes
    count_time
    sizes=$(stat -c %s "$@")
    if [ "$sizes" != "$watched_sizes" ]; then
        watched_sizes=$sizes heard_at=$had
    fi
    quiet=$(((had - heard_at) / 1000000))
}

# check_silence FILE...: exits when the guest, whose output is in the files, was silent for longer than allowed.
check_silence() {
    watch_for_output "$@"
    if [ "$timeout_idle" -gt 0 ] && [ "$quiet" -ge "$timeout_idle" ]; then
        give_up "no console output for $timeout_idle s"
    fi
}

check_total_time() {
    if [ "$timeout_total" -gt 0 ] && [ "$SECONDS" -ge "$timeout_total" ]; then
        give_up "not finished after $timeout_total s"
    fi
}

# The script's own look_into_guest writes to the host's log what the guest is doing.
give_up() {
    look_into_guest
    keep_log
    say "$1; the host's log: $kept_log"
    exit "$GUEST_IDLE"
}

# guest_status CONSOLE OTHERWISE: the guest's own last word, if it is one of our kernels.
guest_status() {
    local line
    line=$(grep -aE '^unikernel: (exit status=|killed by signal )[0-9]+' "$1" | tail -n 1 | tr -d '\r' || true)
    case $line in
        *status=*) line=${line##*status=}; printf '%s\n' "${line%% *}" ;;
        *signal*) line=${line##*signal }; printf '%s\n' $((128 + ${line%% *})) ;;
        *) printf '%s\n' "$2" ;;
    esac
}
