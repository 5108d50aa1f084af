# SPDX-License-Identifier: Apache-2.0
# Builds counter.c, the plugin of QEMU's that counts instructions, for those who source this.

. "$(dirname "${BASH_SOURCE[0]}")/../../../../lab/plugin.sh"

# build_counter SHARED-OBJECT
build_counter() {
    build_plugin "$(dirname "${BASH_SOURCE[0]}")/counter.c" "$1"
}
