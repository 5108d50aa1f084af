# SPDX-License-Identifier: Apache-2.0
# Turns `readelf -rW` of the kernel, linked with its relocations, into the assembly of the table that
# platform/x86/slide.c works through: where in the image absolute addresses of the kernel stand, as offsets from
# KERNEL_BASE (the low 31 bits). Physical addresses (R_X86_64_32, and what is in notes) and distances stay as they are.
function number(hex,    i, value) {
    value = 0
    for (i = 1; i <= length(hex); i++)
        value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return value
}

# The low half of the address that is stored: of the symbol, plus or minus what follows it.
function stored(    value) {
    value = number(substr($4, 9))
    if ($(NF - 1) == "+")
        value += number(substr($NF, length($NF) - 7))
    else if ($(NF - 1) == "-")
        value -= number($NF)
    return value
}

BEGIN {
    print "    .section .relocations, \"a\""
    print "    .balign 4"
}
/^Relocation section/ {
    loaded = $3 ~ /^'\.rela\.(text|rodata|symbols|data)/
    next
}
!loaded || $3 !~ /^R_/ || $3 ~ /^R_X86_64_(PC32|PLT32|PC64|NONE|32)$/ { next }
$3 !~ /^R_X86_64_(32S|64)$/ {
    print "relocations.awk: the kernel must not contain " $3 " at " $1 > "/dev/stderr"
    failed = 1
    next
}
# A difference that the compiler folded: no longer an address of the image, and not a physical one either.
$3 == "R_X86_64_64" && substr($4, 1, 8) == "ffffffff" && $(NF - 1) == "-" && length($NF) >= 8 {
    print "relocations.awk: nothing moves " $5 " - " $NF " at " $1 "; hide the symbol from the compiler" > "/dev/stderr"
    failed = 1
    next
}
stored() >= 2147483648 {
    place = number(substr($1, 9)) - 2147483648
    printf "    .long 0x%x\n", place
}
END {
    print "    .section .note.GNU-stack, \"\", @progbits"
    exit failed
}
