/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first sector of the image: reads the boot map and the loader, and jumps to the loader, with all segments 0 and
 * the BIOS's number of the disk in DL. Whatever it cannot do it says on the screen and the first serial port.
 *
 * It must not need bytes 0x1be to 0x1fd, the place of a partition table.
 */
#include "map.h"
#include "ports.h"

    .code16
    .section .sector, "awx"
    .globl sector
sector:
    ljmp $0, $1f
1:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    cli
    movw %ax, %ss
    movw $SECTOR_ADDRESS, %sp
    sti
    cld
    movb %dl, drive

    movb $0x41, %ah
    movw $0x55aa, %bx
    int $0x13
    jc no_extensions
    cmpw $0xaa55, %bx
    jne no_extensions
    testb $1, %cl
    jz no_extensions

    call read
    cmpl $MAP_MAGIC, MAP_ADDRESS
    jne no_loader

    movw $BLOCK_SECTORS, packet_count
    movw $(LOADER_ADDRESS >> 4), packet_segment
    movw $MAP_EXTENTS, %di
    movw MAP_LOADER_EXTENTS, %bp
next_extent:
    movl $BLOCK_SECTORS, %eax
    mull (%di)                          /* struct map_extent */
    movl %eax, packet_sector
    movl %edx, packet_sector + 4
    movw 4(%di), %cx
next_block:
    call read
    addw $(BLOCK_SECTORS * SECTOR_SIZE >> 4), packet_segment
    addl $BLOCK_SECTORS, packet_sector
    adcl $0, packet_sector + 4
    loop next_block
    addw $8, %di
    decw %bp
    jnz next_extent

    cmpl $LOADER_MAGIC, LOADER_ADDRESS
    jne no_loader
    movb drive, %dl
    jmp loader_entry

no_extensions:
    movw $extensions, %si
    jmp fail

no_loader:
    movw $loader, %si
    jmp fail

/* Reads what `packet` says. Keeps all registers. */
read:
    pushal
    movb $0x42, %ah
    movb drive, %dl
    movw $packet, %si
    int $0x13
    jc 1f
    popal
    ret
1:  movb %ah, %al
    movw $status, %di
    call hexadecimal
    movw $unreadable, %si

/* Prints the text at SI, ends QEMU, and stops. */
fail:
    pushw %si
    movw $serial_setup, %si
1:  lodsw
    testw %ax, %ax
    jz 2f
    xchgw %ax, %dx
    lodsb
    outb %al, %dx
    jmp 1b
2:  movw $prefix, %si
    call print
    popw %si
    call print
    movw $line_end, %si
    call print
    movw $DEBUG_EXIT_PORT, %dx
    movb $DEBUG_EXIT_CRASH, %al
    outb %al, %dx
3:  hlt
    jmp 3b

print:
    lodsb
    testb %al, %al
    jz 2f
    pushw %ax
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    xorw %cx, %cx                       /* a port that takes nothing is not waited for without end */
1:  movw $SERIAL_LINE_STATUS, %dx
    inb %dx, %al
    testb $STATUS_TRANSMIT_EMPTY, %al
    loopz 1b
    popw %ax
    movw $SERIAL_DATA, %dx
    outb %al, %dx
    jmp print
2:  ret

/* Writes AL as two digits to DI. */
hexadecimal:
    movb %al, %ah
    shrb $4, %al
    call 1f
    movb %ah, %al
    andb $15, %al
1:  cmpb $10, %al
    sbbb $0x69, %al
    das
    stosb
    ret

/* Ports and what is written to them: no interrupts, 115200 bits a second, 8 data bits. */
serial_setup:
    .word SERIAL_INTERRUPT_ENABLE
    .byte 0
    .word SERIAL_LINE_CONTROL
    .byte LINE_DIVISOR_ACCESS
    .word SERIAL_DATA
    .byte DIVISOR_115200
    .word SERIAL_INTERRUPT_ENABLE
    .byte 0
    .word SERIAL_LINE_CONTROL
    .byte LINE_8N1
    .word 0

prefix:
    .asciz "unikernel: "
extensions:
    .asciz "no INT 13h extensions; use another machine"
unreadable:
    .ascii "cannot read the disk (INT 13h status 0x"
status:
    .asciz "00)"
loader:
    .asciz "no boot loader; build the image again"
line_end:
    .asciz "\r\n"

packet:                                 /* the disk address packet of INT 13h, AH=42h: at first for the map */
    .byte 16, 0
packet_count:
    .word 1
    .word 0                             /* offset in the segment */
packet_segment:
    .word MAP_ADDRESS >> 4
packet_sector:
    .quad 1
drive:
    .byte 0

    .org 0x1be
    .org 0x1fe
    .word 0xaa55

    .section .note.GNU-stack, "", @progbits
