/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver owes an ENA device: each rule that the model checks, with what holds as long as it is kept. The names
 * are those of guest-kernel/docs/ena-model.md, in lower case there.
 */
#pragma once

/* clang-format off */
#define MODEL_RULES(X) \
    X(REGISTER_ACCESS, "registers are read and written by 4 aligned bytes") \
    X(REGISTER_UNKNOWN, "only registers that exist are accessed") \
    X(REGISTER_READ_ONLY, "registers that only the device writes are not written") \
    X(REGISTER_RESERVED, "reserved bits of registers are zero") \
    X(DIRECT_READ, "registers are read directly only where revision bit 0 allows it") \
    X(READLESS_ADDRESS, "the response address is written before a readless read, again after each start of a reset") \
    X(READLESS_PRIMED, "the response's request number differs from that of the read that begins") \
    X(RESET_READY, "a reset begins while the device is ready") \
    X(RESET_PHASES, "DEV_CTL returns to 0 when reset-in-progress was seen or is late, and work waits for its end") \
    X(RESET_REASON, "reasons from 16 on are given only to devices with the capability") \
    X(DMA_ADDRESS, "every address lies in memory that the device may reach, below its width") \
    X(RING_ZEROED, "rings that the device writes are zero at first") \
    X(ADMIN_RING, "administrative rings are whole pages, of 2^n entries of 64 bytes, base before capabilities") \
    X(AENQ_EXISTS, "there is a ring for events before the first command") \
    X(INTERRUPT_MASK, "INTR_MASK is written before the first command") \
    X(ADMIN_DOORBELL, "the administrative doorbell moves on by the commands that fit the ring, after the set-up") \
    X(ADMIN_PHASE, "a command has the phase of its turn") \
    X(ADMIN_ID, "a command's identifier is below the depth, and not in use") \
    X(ADMIN_RESERVED, "reserved bytes of commands are zero") \
    X(ADMIN_OPCODE, "only commands that exist are sent") \
    X(CONTROL_BUFFER, "commands have a control buffer, marked by bit 2, if and only if the feature needs one") \
    X(HOST_INFO_FIRST, "host attributes are the first command after a reset") \
    X(HOST_INFO_FORM, "host attributes name version 2.0, a driver of major version 2, and known features") \
    X(FEATURE_SUPPORTED, "only features that the device announces are read and set") \
    X(FEATURE_VERSION, "features are asked for in the version that exists") \
    X(AENQ_GROUPS, "only event groups that the device supports are enabled") \
    X(AENQ_HEAD, "the events' head begins at the depth, and moves on by what the device has written") \
    X(LLQ_CONFIG, "one supported value each is chosen for LLQ") \
    X(MTU_RANGE, "the MTU is from 128 to what the device announces") \
    X(RSS_TABLE, "the indirection table has an announced size and names receive queues that exist") \
    X(RSS_HASH, "one announced hash function is chosen, with a key of ten words that is not zero") \
    X(STATISTICS, "statistics are asked for by a known type and scope") \
    X(CQ_FORM, "completion queues interrupt, with 2^n entries of the right size within the limits") \
    X(CQ_VECTOR, "completion queues interrupt by a vector that exists") \
    X(SQ_FORM, "submission queues have a direction, a placement, and 2^n entries in whole pages within the limits") \
    X(SQ_COMPLETIONS, "a submission queue has a completion queue of its own, of its direction's entry size") \
    X(SQ_LLQ, "LLQ is set up before it is used, only for transmission, and without a ring in memory") \
    X(QUEUE_LIMIT, "no more queues are made than are announced") \
    X(DESTROY_UNKNOWN, "only queues that exist are destroyed") \
    X(DESTROY_ORDER, "a submission queue is destroyed before its completion queue") \
    X(DOORBELL_UNKNOWN, "doorbells and unmask registers are those of queues that exist") \
    X(DOORBELL_VALUE, "a doorbell moves on by less than the depth") \
    X(SLOT_FREE, "one slot of each submission ring stays free") \
    X(COMPLETION_ROOM, "no more packets or buffers are under way than the completion queue has been granted entries") \
    X(UNMASK_FORM, "unmasking sets bit 30, and delays only where the device moderates") \
    X(TX_PHASE, "transmit descriptors have the phase of their turn") \
    X(TX_RESERVED, "reserved bits of transmit descriptors are zero") \
    X(TX_FIRST_LAST, "`first` is in the first descriptor of a packet, `last` in the last, and in no other") \
    X(TX_LATER_FIELDS, "later descriptors have no identifier, offload, header or completion request") \
    X(TX_COMPLETION, "the first data descriptor asks for a completion") \
    X(TX_ID, "a packet's identifier is below the depth, and not in use") \
    X(TX_COUNT, "a packet has no more descriptors than announced") \
    X(TX_LENGTH, "a data descriptor has bytes, unless all of them were pushed") \
    X(TX_HEADER_LENGTH, "the header is no longer than its place or the packet, and holds all headers for TSO") \
    X(TX_MTU, "frames have an Ethernet header, and packets in them are no longer than the MTU") \
    X(META_FORM, "a meta descriptor has its marks, or nothing but them, and reserved bits of zero") \
    X(META_PLACE, "a meta descriptor stands before the data of its packet, once") \
    X(META_MISSING, "a meta descriptor comes with every packet if there is no caching, else before the first offload") \
    X(META_EMPTY, "without caching, a packet without offload has an empty meta descriptor") \
    X(META_VALUES, "the meta descriptor describes the packet's headers, and a segment size for TSO only") \
    X(OFFLOAD_ANNOUNCED, "only offloads that the device announces are asked for") \
    X(OFFLOAD_FORM, "TSO is TCP with a full checksum and, on IPv4, the header's; checksums alone name a protocol") \
    X(OFFLOAD_PROTOCOL, "protocols and the DF bit are those of the packet") \
    X(PSEUDO_SUM, "the field of a partial checksum holds the sum of the pseudo-header") \
    X(LLQ_ACCESS, "the device's memory is written by 8 aligned bytes, in rings that exist, and not read") \
    X(LLQ_ORDER, "entries are written in order, from the first byte to the last") \
    X(LLQ_WHOLE, "the doorbell follows whole entries, all of which it names") \
    X(LLQ_BURST, "no more entries are written between doorbells than announced") \
    X(LLQ_REST, "what an entry does not need is zero") \
    X(RX_PHASE, "receive descriptors have the phase of their turn") \
    X(RX_FORM, "receive descriptors are first and last, ask for a completion, and have reserved bits of zero") \
    X(RX_ID, "a buffer's identifier is below the depth, and not in use") \
    X(RX_LENGTH, "a buffer has at least 2048 bytes") \
    X(RX_FILLED, "the receive ring is full when its interrupt is first unmasked")
/* clang-format on */

enum model_rule {
#define RULE_CONSTANT(name, text) RULE_##name,
    MODEL_RULES(RULE_CONSTANT)
#undef RULE_CONSTANT
        RULE_COUNT
};

/* "ADMIN_PHASE" and so on, and what the rule says. */
const char *model_rule_name(enum model_rule rule);
const char *model_rule_text(enum model_rule rule);
