# Shared by the lab's scripts: where things are, how failures are reported.
# Sourced with `set -euo pipefail` in force.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TARGET=${LAB_TARGET:-$(dirname "$LAB_DIR")/target/lab}

# What a script exits with when the laboratory itself failed, as opposed to the guest in it.
readonly LAB_FAILURE=125

say() {
    printf 'lab: %s\n' "$*" >&2
}

fail() {
    say "error: $*"
    exit "$LAB_FAILURE"
}

# newest GLOB...: the existing file that sorts last by version; empty when there is none.
newest() {
    local file
    for file in "$@"; do
        [ -e "$file" ] && printf '%s\n' "$file"
    done | sort -V | tail -n 1
}

need_command() {
    command -v "$1" >/dev/null || fail "$1 is not installed; run lab/setup"
}

# The Xen pieces come from the newest Xen release installed.
xen_hypervisor() {
    newest /boot/xen-[0-9]*-amd64.gz
}

xen_tools() {
    newest /usr/lib/xen-[0-9]*/bin
}

# What emulates a PC's devices for Xen's HVM guests, and the BIOS that starts those; where Debian's xl looks for them.
readonly XEN_DEVICE_MODEL=/usr/libexec/xen-qemu-system-i386
readonly XEN_BIOS=/usr/share/seabios/bios-256k.bin
readonly XEN_KEYMAP=/usr/share/qemu/keymaps/en-us

# The newest Linux kernel that has Xen's network backend among its modules.
dom0_linux_release() {
    local module
    module=$(newest /lib/modules/*/kernel/drivers/net/xen-netback/xen-netback.ko*)
    [ -n "$module" ] || return 0
    module=${module#/lib/modules/}
    printf '%s\n' "${module%%/*}"
}

linux_image() {
    local image=/boot/vmlinuz-$1
    [ -r "$image" ] || fail "$image cannot be read; run: sudo chmod a+r $image"
    printf '%s\n' "$image"
}

# unpack_linux BZIMAGE ELF: takes the ELF out of a bzImage, so that neither Xen nor libxc has to
# decompress it under emulation. Offsets: Linux Documentation/arch/x86/boot.rst, the real-mode
# header's setup_sects (0x1f1), payload_offset (0x248) and payload_length (0x24c).
unpack_linux() {
    local image=$1 elf=$2 setup_sectors payload length magic
    setup_sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image" | tr -d ' ')
    payload=$(od -An -tu4 -j $((0x248)) -N 4 "$image" | tr -d ' ')
    length=$(od -An -tu4 -j $((0x24c)) -N 4 "$image" | tr -d ' ')
    payload=$((payload + (setup_sectors + 1) * 512))
    magic=$(od -An -tx1 -j "$payload" -N 4 "$image" | tr -d ' ')

    # The payload's last four bytes are its unpacked size, which the decompressors would refuse.
    local unpack
    case $magic in
        fd377a58) unpack='xz -dc' ;;
        1f8b*) unpack='gzip -dc' ;;
        28b52ffd) unpack='zstd -dcq' ;;
        *) fail "$image is compressed in an unknown format (first bytes $magic); use another Linux kernel" ;;
    esac
    need_command "${unpack%% *}"
    head -c $((payload + length - 4)) "$image" | tail -c $((length - 4)) | $unpack >"$elf"
}

# cpio_of DIRECTORY: a newc archive of the directory's contents, all owned by root.
cpio_of() {
    (cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0)
}

# install_modules RELEASE DIRECTORY NAME...: copies Linux modules and those they depend on, plain;
# DIRECTORY/order lists the files in the order they are to be loaded.
install_modules() {
    local release=$1 directory=$2 name kind module plain rest
    shift 2
    need_command modprobe
    mkdir -p "$directory"
    : >"$directory/order"
    for name in "$@"; do
        modprobe -S "$release" --show-depends "$name" | while read -r kind module rest; do
            [ "$kind" = insmod ] || continue
            plain=$(basename "$module" | sed 's/\.ko.*/.ko/')
            if grep -qx "$plain" "$directory/order"; then
                continue
            fi
            case $module in
                *.xz) xz -dc "$module" ;;
                *.zst) zstd -dcq "$module" ;;
                *.gz) gzip -dc "$module" ;;
                *) cat "$module" ;;
            esac >"$directory/$plain"
            printf '%s\n' "$plain" >>"$directory/order"
        done
    done
}

# begin_build NAME HASH: results live in LAB_TARGET/NAME-HASH. Prints that and exits when it is
# there; else sets `built` to it and `work` to an empty directory to fill. Several runs may start
# at once: the first builds, the others wait for it.
begin_build() {
    built=$LAB_TARGET/$1-$2
    mkdir -p "$LAB_TARGET"
    exec 9>"$LAB_TARGET/$1.lock"
    flock 9
    if [ -d "$built" ]; then
        printf '%s\n' "$built"
        exit 0
    fi
    work=$(mktemp -d "$LAB_TARGET/$1-build.XXXXXX")
    trap 'rm -rf "$work"' EXIT
}

finish_build() {
    chmod 755 "$work"
    mv "$work" "$built"
    printf '%s\n' "$built"
}
