# Turns `nm -n` of the kernel into the assembly of its symbol table (platform/x86/symbols.c):
# functions only, ascending, addresses as offsets from KERNEL_BASE (the low 31 bits).
BEGIN {
    print "    .section .symbols, \"a\""
    print "    .balign 4"
    print "    .globl symbol_table, symbol_table_end, symbol_names"
    print "symbol_table:"
}
$2 ~ /^[tTwW]$/ && $3 !~ /^\.|\.cold$/ && $1 != previous {
    previous = $1
    offset = substr($1, 9)
    sub(/^[89a-f]/, substr("01234567", index("89abcdef", substr(offset, 1, 1)), 1), offset)
    printf "    .long 0x%s, %d\n", offset, bytes
    names[count++] = $3
    bytes += length($3) + 1
}
END {
    print "symbol_table_end:"
    print "symbol_names:"
    for (i = 0; i < count; i++)
        printf "    .asciz \"%s\"\n", names[i]
    print "    .section .note.GNU-stack, \"\", @progbits"
}
