# SPDX-License-Identifier: Apache-2.0
# Builds plugins of QEMU's that watch what a guest executes, for those who source this.

# QEMU 9 raised the version of its interface and changed nothing that the plugins here use.
plugin_version() {
    case $(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p') in
        [4-8]) echo 1 ;;
        *) echo 2 ;;
    esac
}

# build_plugin SOURCE SHARED-OBJECT
build_plugin() {
    gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -shared -fPIC -D "PLUGIN_VERSION=$(plugin_version)" \
        -I "$(dirname "${BASH_SOURCE[0]}")" "$1" -o "$2"
}
