# SPDX-License-Identifier: Apache-2.0
# Turns `nm -n` of the kernel into the assembly of its symbol table (platform/x86/symbols.c): functions only, ascending,
# addresses as offsets from KERNEL_BASE (the low 31 bits). A name that several files use, each for a function of its
# own, gets its file in front, files/proc/system.c:show_stat, which addr2line finds:
#
#   nm -n KERNEL | awk -v kernel=KERNEL -v addr2line=addr2line -f tools/symbols.awk
function base(name) {                    # without what the compiler adds to variants, such as .isra.0
    sub(/\..*/, "", name)
    return name
}
$2 ~ /^[tTwW]$/ && $3 !~ /^\.|\.cold$/ && $1 != previous {
    previous = $1
    addresses[count] = $1
    names[count++] = $3
    uses[base($3)]++
}
END {
    command = addr2line " -e " kernel
    for (i = 0; i < count; i++)
        if (uses[base(names[i])] > 1)
            command = command " 0x" addresses[i]
    print "    .section .symbols, \"a\""
    print "    .balign 4"
    print "    .globl symbol_table, symbol_table_end, symbol_names"
    print "symbol_table:"
    for (i = 0; i < count; i++) {
        if (uses[base(names[i])] > 1 && (command | getline place) > 0 && place !~ /^\?/) {
            sub(/:[^:]*$/, "", place)
            sub(/^.*src\/main\/c\//, "", place)
            names[i] = place ":" names[i]
        }
        offset = substr(addresses[i], 9)
        sub(/^[89a-f]/, substr("01234567", index("89abcdef", substr(offset, 1, 1)), 1), offset)
        printf "    .long 0x%s, %d\n", offset, bytes
        bytes += length(names[i]) + 1
    }
    print "symbol_table_end:"
    print "symbol_names:"
    for (i = 0; i < count; i++)
        printf "    .asciz \"%s\"\n", names[i]
    print "    .section .note.GNU-stack, \"\", @progbits"
}
