# A guest on a TAP interface; sourced with `kernel`, `memory` and `module` set, in a name space of its own. The interface
# `tap`, `kernel_options` and `lab_options`, for lab/qemu, may be set before start_guest.
# `multi_queue` may be set to that word before make_network: the interface can then have several queues.
# Sets `work`, a directory that goes away at the end, and `root`, which holds what is to be in the image.

work=$(mktemp -d)
root=$work/root
guest= peers= network=dhcp kernel_options=
tap=${tap:-tap0}
lab_options=()
mkdir -p "$root"/{boot,etc,test,tmp,run,proc,sys,dev,var/tmp,home}

cleanup() {
    local process
    for process in $peers $guest; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# configuration PROGRAM ARGUMENT...
configuration() {
    local argument
    {
        echo "exec $1"
        shift
        for argument; do
            echo "arg $argument"
        done
        printf 'env PATH=/test\ncwd /tmp\nhostname target\nnetwork %s\n' "$network"
    } >"$root/etc/unikernel.conf"
}

# Linux is 10.9.0.1, the guest 10.9.0.2.
make_network() {
    ip link set lo up
    ip tuntap add dev tap0 mode tap vnet_hdr ${multi_queue:-}
    ip address add 10.9.0.1/24 dev tap0
    ip link set tap0 up
}

# start_guest FILE: writes the process of the emulator to the open file when the program serves.
start_guest() {
    local size
    : >"$work/console"
    size=$(($(du -sm "$root" | cut -f 1) * 5 / 4 + 8))
    mke2fs -q -F -t ext2 -b 4096 -I 128 -O none,filetype,sparse_super,large_file -E no_copy_xattrs \
        -d "$root" "$work/image" "${size}M" >"$work/mke2fs.log" 2>&1 || { cat "$work/mke2fs.log" >&2; exit 2; }
    exec {console}> >(watch_console "$1")
    watcher=$!
    "$module/../lab/qemu" --kernel "$kernel" --extra "verbose${kernel_options:+ $kernel_options}" --disk "$work/image" --memory "$memory" --tap "$tap" \
        --log "$work/host.log" ${lab_options[@]+"${lab_options[@]}"} </dev/null 2>"$work/lab" >&"$console" {console}>&- &
    guest=$!
    exec {console}>&-
}

# For a guest that ends by itself: its last line is in `work`/console then. The exit status is lab/qemu's.
await_end() {
    local ended=0
    wait "$guest" || ended=$?
    guest=
    wait "$watcher" || true
    return "$ended"
}

watch_console() {
    local line
    while IFS= read -r line; do
        printf '%s\n' "${line%$'\r'}" >>"$work/console"
        case $line in
            serving*) sed -n 's/^lab: domain started .*, process \([0-9]*\)$/\1/p' "$work/lab" >&"$1" ;;
        esac
    done
}

# Waits for the peers; their exit status is in `status`, or 1 if the guest ends before them, or never started.
await_peers() {
    local ended
    status=0
    wait -n -p ended "$peers" "$guest" || status=$?
    [ "$ended" = "$guest" ] || return 0
    echo "not ok $1.guest: the guest ended before its peers: $(tail -n 1 "$work/lab")"
    status=1
}

stop_guest() {
    kill "$guest" 2>/dev/null || true
    wait "$guest" 2>/dev/null || true
    guest=
}

# Keeps what is known of a run that failed.
keep() {
    local kept=$module/../target/failures/peers
    mkdir -p "$kept"
    cp "$work"/{console,lab,host.log} "$kept" 2>/dev/null || true
    echo "# see $kept; the console ends with:"
    tail -n 8 "$work/console" | sed 's/^/#   /'
}

# make_jvm CLASS MODULE: a runtime with this module in /java of the image, and the class of this directory in /test.
make_jvm() {
    local library java_home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
    "$java_home/bin/javac" -d "$root/test" "$here/$1.java"
    "$java_home/bin/jlink" --add-modules "$2" --strip-java-debug-attributes --no-header-files --no-man-pages \
        --output "$root/java"
    for library in $(ldd "$root/java/bin/java" "$root"/java/lib/*.so "$root"/java/lib/server/*.so |
        sed -n 's/^[[:space:]]*\(.* => \)\{0,1\}\(\/[^ ]*\) .*/\2/p' | sort -u); do
        case $library in "$root"/*) continue ;; esac
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done
}
