# SPDX-License-Identifier: Apache-2.0
# Builds counter.c, the plugin of QEMU's that counts instructions, for those who source this.

# QEMU 9 raised the version of its interface and changed nothing that counter.c uses.
plugin_version() {
    case $(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p') in
        [4-8]) echo 1 ;;
        *) echo 2 ;;
    esac
}

# build_counter SHARED-OBJECT
build_counter() {
    gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -shared -fPIC -D "PLUGIN_VERSION=$(plugin_version)" \
        "$(dirname "${BASH_SOURCE[0]}")/counter.c" -o "$1"
}
