# What a run of the lab boots: the options and the configuration that lab/xen and lab/qemu share.
# Sourced after lib.sh. The script defines usage, own_flag NAME and own_setting NAME VALUE; the last
# two fail for what they do not know.

kernel= symbols= extra= ramdisk= config= memory= vcpus= network=yes user_network= on_reboot=restart
timeout_idle=0 timeout_total=0 control=no verbose=no log=
disks=() kept=() forwards=()

common_usage() {
    cat <<'TEXT'
What to boot
  --config FILE         take kernel, extra, memory, vcpus and disk from an xl configuration
  --kernel ELF          the guest kernel
  --extra TEXT          the kernel's command line
  --ramdisk FILE        an initial ramdisk (Linux guests)
  --disk FILE           a disk image, repeatable; never written to, what the guest writes is dropped
  --kept-disk FILE      the same, but what the guest writes stays (QEMU)
  --symbols ELF         the kernel with its symbols, when the one that boots has none
Resources
  --memory MB           default 128
  --vcpus N             default 1
  --no-network          no network interface
  --forward HOST:GUEST  forward 127.0.0.1:HOST to the guest's TCP port, repeatable; 0 picks a
                        free port; printed as `lab: forward 127.0.0.1:HOST to GUEST`
  --user-network TEXT   more of QEMU's options for the guest's network: net=..., guestfwd=...
  --on-reboot restart|destroy
                        what a reboot by the guest does; default restart
Watching
  --timeout-idle S      give up after S seconds without console output, once the guest is being started; time in
                        which QEMU waits for a CPU does not count
  --timeout S           give up after S seconds in all, by the wall
  --control             read commands from standard input; lab/README.md lists them
  --verbose             show the host's log too
  --log FILE            keep that log here
TEXT
}

common_outcome() {
    cat <<'TEXT'

Standard output is the guest's console and nothing else. Lines of the lab itself go to standard
error and start with `lab: `.

Exit status: the guest's own from its line `unikernel: exit status=N` (128 + N when killed by
signal N); else 0 when it powered off, 126 when it crashed, 124 when time ran out,
125 when the lab failed, 130 when interrupted.
TEXT
}

common_flag() {
    case $1 in
        --no-network) network=no ;;
        --control) control=yes ;;
        --verbose) verbose=yes ;;
        *) return 1 ;;
    esac
}

common_setting() {
    case $1 in
        --config) config=$2 ;;
        --kernel) kernel=$2 ;;
        --symbols) symbols=$2 ;;
        --extra) extra=$2 ;;
        --ramdisk) ramdisk=$2 ;;
        --disk) disks+=("$2") ;;
        --kept-disk) kept[${#disks[@]}]=off; disks+=("$2") ;;
        --memory) memory=$2 ;;
        --vcpus) vcpus=$2 ;;
        --forward) forwards+=("$2") ;;
        --user-network) user_network=$2 ;;
        --on-reboot) on_reboot=$2 ;;
        --timeout-idle) timeout_idle=$2 ;;
        --timeout) timeout_total=$2 ;;
        --log) log=$2 ;;
        *) return 1 ;;
    esac
}

parse_options() {
    while [ $# -gt 0 ]; do
        case $1 in --help | -h) usage; exit 0 ;; esac
        if common_flag "$1" || own_flag "$1"; then
            shift
        elif [ $# -gt 1 ] && { common_setting "$1" "$2" || own_setting "$1" "$2"; }; then
            shift 2
        else
            usage >&2
            fail "unknown option, or one without its value: $1"
        fi
    done
}

# config_value KEY: the value of `KEY = "text"` or `KEY = number` in the xl configuration.
config_value() {
    sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*[\"']\{0,1\}\([^\"']*\)[\"']\{0,1\}[[:space:]]*\$/\1/p" "$config" | tail -n 1
}

# The configuration's first disk, in xl's form `key=value, ..., target=PATH` (xl-disk-configuration(5)).
config_disk() {
    tr '\n' ' ' <"$config" | sed -n "s/.*disk[[:space:]]*=[[:space:]]*\[[[:space:]]*[\"']\([^\"']*\)[\"'].*/\1/p"
}

# Paths of a configuration are relative to it.
beside_config() {
    case $1 in
        '' | /*) printf '%s\n' "$1" ;;
        *) printf '%s/%s\n' "$(dirname "$config")" "$1" ;;
    esac
}

# Options on the command line win over the configuration.
read_config() {
    local disk
    [ -r "$config" ] || fail "cannot read $config"
    kernel=${kernel:-$(beside_config "$(config_value kernel)")}
    extra=${extra:-$(config_value extra)}
    memory=${memory:-$(config_value memory)}
    vcpus=${vcpus:-$(config_value vcpus)}
    [ ${#disks[@]} -eq 0 ] || return 0
    disk=$(config_disk)
    case $disk in
        *target=*) disks=("$(beside_config "${disk##*target=}")") ;;
        *) fail "$config has no disk of the form \"vdev=..., target=PATH\"" ;;
    esac
}

check_guest() {
    local file
    [ -n "$kernel" ] || fail "nothing to boot; give --kernel or --config"
    for file in "$kernel" ${ramdisk:+"$ramdisk"} ${disks[@]+"${disks[@]}"}; do
        [ -r "$file" ] || fail "cannot read $file"
    done
    memory=${memory:-128}
    vcpus=${vcpus:-1}
}
