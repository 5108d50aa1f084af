/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of script.h. Each value that it writes passes one of the places that know of `change`, which strikes each
 * time that its register, command or descriptor comes.
 */
#include "drivers/ena/script.h"

#include <string.h>

#include "drivers/ena/model/internal.h"

#define MS 1000000u

struct script script;

static void *memory_of(void *context, uint64_t address, size_t length)
{
    (void)context;
    uint64_t offset = address - SCRIPT_BASE;
    return offset < SCRIPT_MEMORY && length <= SCRIPT_MEMORY - offset ? script.memory + offset : NULL;
}

static void interrupted(void *context, unsigned vector)
{
    (void)context;
    script.interrupts[vector]++;
}

static void left(void *context, const uint8_t *frame, size_t length)
{
    (void)context;
    unsigned place = script.frames++ % SCRIPT_FRAMES;
    script.lengths[place] = (uint32_t)length;
    memcpy(script.sent[place], frame, length < 2048 ? length : 2048);
}

static bool strikes(enum change_kind kind, unsigned which)
{
    return script.change.kind == kind && script.change.which == which;
}

/* ---- Registers ---- */

void script_write(uint32_t offset, uint32_t value)
{
    if (strikes(OMIT_REGISTER, offset))
        return;
    if (strikes(CHANGE_REGISTER, offset))
        value ^= script.change.bits;
    model_write(&script.model, 0, offset, value, 4);
}

uint32_t script_read(uint32_t offset)
{
    uint8_t *response = script.memory + AT_RESPONSE;
    put16(response, (uint16_t)(++script.request + 0xdead));
    script_write(REG_READ, offset << 16 | script.request);
    return get16(response) == script.request ? get32(response + 4) : UINT32_MAX;
}

static void write_address(uint32_t offset, uint32_t at)
{
    script_write(offset, SCRIPT_BASE + at);
    script_write(offset + 4, 0);
}

void script_reset(unsigned reason)
{
    script_write(REG_DEV_CTL, 1 | (reason & 15) << 28 | (reason >> 4) << 24);
    write_address(REG_RESPONSE, AT_RESPONSE);
    model_advance(&script.model, script.model.now + MS);
    (void)script_read(REG_DEV_STS);
    script_write(REG_DEV_CTL, 0);
    model_advance(&script.model, script.model.now + MS);
    (void)script_read(REG_DEV_STS);
}

/* ---- Commands ---- */

static uint8_t send_command(uint8_t *command)
{
    unsigned which = command[2] * 256u + (command[2] == 8 || command[2] == 9 ? command[17] : 0);
    if (strikes(OMIT_COMMAND, which))
        return 0;
    put16(command, script.command_tail % 32);
    command[3] |= (uint8_t)phase_of(script.command_tail, 32);
    if (strikes(CHANGE_COMMAND, which))
        command[script.change.at] ^= (uint8_t)script.change.bits;
    memcpy(script.memory + AT_COMMANDS + script.command_tail++ % 32 * 64, command, 64);
    uint32_t answer = AT_ANSWERS + script.model.admin_posted % 32 * 64;
    script_write(REG_AQ_DB, script.command_tail);
    memcpy(script.answer, script.memory + answer, 64);
    return script.answer[2];
}

uint8_t script_command(unsigned opcode, const void *bytes, size_t length)
{
    uint8_t command[64] = { 0, 0, (uint8_t)opcode };
    memcpy(command + 4, bytes, length);
    return send_command(command);
}

uint8_t script_feature(unsigned opcode, unsigned feature, unsigned version, const void *bytes, size_t length)
{
    uint8_t command[64] = { [2] = (uint8_t)opcode, [17] = (uint8_t)feature, [18] = (uint8_t)version };
    memcpy(command + 20, bytes, length);
    return send_command(command);
}

static void tell_of_host(void)
{
    uint8_t *page = script.memory + AT_HOST, bytes[20] = { 0 };
    put32(page, 1);
    put32(page + 172, 2);
    put16(page + 184, 0x0200);
    put16(page + 186, script.model.variant.place);
    put16(page + 188, 1);
    put32(page + 192, 2);
    if (script.change.kind == CHANGE_HOST)
        page[script.change.at] ^= (uint8_t)script.change.bits;
    put32(bytes, SCRIPT_BASE + AT_HOST);
    script_feature(9, FEATURE_HOST, 0, bytes, sizeof(bytes));
}

static void set_up_llq(void)
{
    uint8_t bytes[36] = { 0 };
    script_feature(8, FEATURE_LLQ, 1, "", 0);
    put16(bytes + 10, 1);
    put16(bytes + 14, script.model.variant.llq_recommended == 4 ? 4 : 1);
    put16(bytes + 18, 2);
    put16(bytes + 22, 2);
    put16(bytes + 28, 3);
    script.llq = script_feature(9, FEATURE_LLQ, 1, bytes, sizeof(bytes)) == 0;
}

static void ask_for_features(void)
{
    const struct model_variant *v = &script.model.variant;
    script_feature(8, FEATURE_ATTRIBUTES, 0, "", 0);
    script_feature(8, v->extended_queues ? FEATURE_QUEUES_EXT : FEATURE_QUEUES, v->extended_queues, "", 0);
    script_feature(8, FEATURE_AENQ, 0, "", 0);
    script_feature(8, FEATURE_HINTS, 0, "", 0);
    if (v->tx_offloads != 0)
        script_feature(8, FEATURE_OFFLOAD, 0, "", 0);
    if (v->llq_sizes != 0)
        set_up_llq();
}

static void make_cq(unsigned words, uint32_t at, uint16_t *number, uint32_t *unmask)
{
    uint8_t bytes[16] = { 1 << 5, (uint8_t)words };
    put16(bytes + 2, SCRIPT_DEPTH);
    put32(bytes + 4, 1);
    put32(bytes + 8, SCRIPT_BASE + at);
    memset(script.memory + at, 0, 4096);
    script_command(3, bytes, sizeof(bytes));
    *number = get16(script.answer + 8);
    *unmask = get32(script.answer + 20);
}

static void make_sq(unsigned direction, uint16_t cq, uint32_t at, uint16_t *number, uint32_t *doorbell)
{
    bool llq = direction == 1 && script.llq;
    uint8_t bytes[24] = { (uint8_t)(direction << 5), 0, llq ? 3 : 1, 1 };
    put16(bytes + 4, cq);
    put16(bytes + 6, SCRIPT_DEPTH);
    put32(bytes + 8, llq ? 0 : SCRIPT_BASE + at);
    script_command(1, bytes, sizeof(bytes));
    *number = get16(script.answer + 8);
    *doorbell = get32(script.answer + 12);
    if (direction == 1)
        script.llq_at = get32(script.answer + 16);
}

/* ---- Bringing it up ---- */

static void set_number(unsigned feature, unsigned at, uint32_t value)
{
    uint8_t bytes[8] = { 0 };
    put32(bytes + at, value);
    script_feature(9, feature, 0, bytes, sizeof(bytes));
}

static void start_rings(void)
{
    script.command_tail = 0;
    memset(script.memory + AT_ANSWERS, 0, 8192);
    write_address(REG_AQ_BASE, AT_COMMANDS);
    write_address(REG_ACQ_BASE, AT_ANSWERS);
    write_address(REG_AENQ_BASE, AT_EVENTS);
    script_write(REG_AQ_CAPS, 32 | 64 << 16);
    script_write(REG_ACQ_CAPS, 32 | 64 << 16);
    script_write(REG_AENQ_CAPS, 16 | 64 << 16);
    script_write(REG_INTR_MASK, 1);
}

static void start_queues(void)
{
    script.tx_tail = script.rx_tail = script.tx_id = 0;
    make_cq(2, AT_TX_COMPLETIONS, &script.tx_cq, &script.tx_unmask);
    make_sq(1, script.tx_cq, AT_TX, &script.tx_sq, &script.tx_doorbell);
    make_cq(4, AT_RX_COMPLETIONS, &script.rx_cq, &script.rx_unmask);
    make_sq(2, script.rx_cq, AT_RX, &script.rx_sq, &script.rx_doorbell);
    set_number(FEATURE_MTU, 0, 1500);
    unsigned count = SCRIPT_DEPTH - (script.change.kind == OMIT_BUFFER ? 2 : 1);
    for (unsigned id = 0; id < count; id++)
        script_post(id, id == count - 1);
    script_write(script.rx_unmask, 1u << 30);
}

static void switch_on(struct model_variant variant, struct change change)
{
    memset(&script, 0, sizeof(script));
    script.change = change;
    script.model.variant = variant;
    script.model.user = (struct model_user){ NULL, memory_of, interrupted, left };
    model_start(&script.model);
    write_address(REG_RESPONSE, AT_RESPONSE);
    (void)script_read(REG_DEV_STS);
}

void script_bring_up(void)
{
    script_reset(0);
    start_rings();
    tell_of_host();
    ask_for_features();
    set_number(FEATURE_AENQ, 4, script.model.variant.event_groups & 0x9f);
    script_write(REG_INTR_MASK, 0);
    script_write(REG_AENQ_HEAD, 16);
    start_queues();
}

void script_start(struct model_variant variant, struct change change)
{
    switch_on(variant, change);
    script_bring_up();
}

/* ---- Packets ---- */

uint32_t script_packet(uint32_t payload)
{
    static const uint8_t headers[54] = { 2, 0, 0, 0,  0,    1,   2,  0, 0, 0, 0,  2, 8, 0, 0x45, 0,
                                         0, 0, 0, 7,  0x40, 0,   64, 6, 0, 0, 10, 0, 0, 1, 10,   0,
                                         0, 2, 0, 80, 31,   144, 0,  0, 1, 0, 0,  0, 2, 0, 0x50, 0x18 };
    uint8_t *frame = script.memory + AT_DATA;
    memcpy(frame, headers, sizeof(headers));
    put_big16(frame + 16, 40 + payload);
    put_big16(frame + 24, (uint16_t)~sum_fold(sum_of(frame + 14, 20)));
    for (uint32_t i = 0; i < payload; i++)
        frame[54 + i] = (uint8_t)(i * 7 + i / 256);
    struct headers h = headers_of(frame, 54 + payload);
    put_big16(frame + 50, sum_fold(sum_of_pseudo(frame, &h, 20 + payload)));
    return 54 + payload;
}

struct script_descriptor script_meta(unsigned segment_size, unsigned l4_words)
{
    return (struct script_descriptor){ { 1u << 14 | 1u << 20 | 1u << 21 | D_META | D_FIRST | segment_size >> 10 << 16,
                                         0, 20 | 14 << 8 | l4_words << 16 | segment_size << 22, 0 } };
}

struct script_descriptor script_data(uint32_t at, uint32_t length, uint32_t marks, uint32_t offload)
{
    uint32_t id = script.tx_id;
    struct script_descriptor d = { { length | marks, offload, length != 0 ? SCRIPT_BASE + AT_DATA + at : 0, 0 } };
    if (marks & D_COMPLETION) {
        d.word[0] |= id >> 10 << 16;
        d.word[1] |= id << 22;
    }
    return d;
}

static void store_in_device(uint32_t at, const uint8_t *entry, uint32_t length)
{
    for (uint32_t i = 0; i < length; i += 8) {
        uint64_t value;
        memcpy(&value, entry + i, 8);
        model_write(&script.model, 2, script.llq_at + at + i, value, 8);
    }
}

/* The entry of this turn: two descriptors and the header in the first of a packet, else as many as it holds. */
static unsigned write_entry(const struct script_descriptor *from, unsigned count, unsigned header, bool first)
{
    uint32_t size = llq_entry_bytes(&script.model);
    uint8_t entry[256] = { 0 };
    unsigned room = first ? 2 : size / 16, taken = count < room ? count : room;
    memcpy(entry, from, taken * sizeof(*from));
    if (first)
        memcpy(entry + 32, script.memory + AT_DATA, header);
    if (script.change.kind == CHANGE_ENTRY)
        entry[script.change.at] ^= (uint8_t)script.change.bits;
    store_in_device(script.tx_tail++ % SCRIPT_DEPTH * size, entry, size);
    return taken;
}

void script_send(struct script_descriptor *d, unsigned count, unsigned header)
{
    uint16_t turn = script.tx_tail;
    for (unsigned i = 0; i < count; i++) {
        unsigned entry = !script.llq ? i : i < 2 ? 0 : 1 + (i - 2) / (llq_entry_bytes(&script.model) / 16);
        d[i].word[0] |= phase_of(turn + entry, SCRIPT_DEPTH) << 24;
        if (script.llq && d[i].word[0] & D_COMPLETION)
            d[i].word[3] |= header << 24;
        if (strikes(CHANGE_SENT, i))
            d[i].word[script.change.at] ^= script.change.bits;
    }
    for (unsigned i = 0; i < count && !script.llq; i++, script.tx_tail++)
        memcpy(script.memory + AT_TX + script.tx_tail % SCRIPT_DEPTH * 16, &d[i], 16);
    for (unsigned i = 0; i < count && script.llq;)
        i += write_entry(d + i, count - i, header, i == 0);
    script.tx_id = (uint16_t)((script.tx_id + 1) % SCRIPT_DEPTH);
    script_write(script.tx_doorbell, script.tx_tail);
}

void script_send_simple(uint32_t payload, unsigned pieces)
{
    uint32_t length = script_packet(payload), header = script.llq ? 54 : 0, at = header;
    uint32_t offload = L3_IPV4 | L4_TCP << 8 | OFFLOAD_DF | OFFLOAD_L4 | OFFLOAD_PARTIAL;
    struct script_descriptor d[MODEL_PIECES_MAX] = { script_meta(0, 0) };
    for (unsigned i = 0; i < pieces; i++) {
        uint32_t part = i + 1 == pieces ? length - at : (length - header) / pieces;
        uint32_t marks = (i == 0 ? D_COMPLETION : 0) | (i + 1 == pieces ? D_LAST : 0);
        d[1 + i] = script_data(at, part, marks, i == 0 ? offload : 0);
        at += part;
    }
    script_send(d, pieces + 1, header);
}

void script_post(unsigned id, bool doorbell)
{
    uint8_t *d = script.memory + AT_RX + script.rx_tail % SCRIPT_DEPTH * 16;
    memset(d, 0, 16);
    put16(d, 2048);
    d[3] = (uint8_t)(0x1c | phase_of(script.rx_tail++, SCRIPT_DEPTH));
    put16(d + 4, (uint16_t)id);
    put32(d + 8, SCRIPT_BASE + AT_BUFFERS + id * 2048);
    if (strikes(CHANGE_BUFFER, id))
        d[script.change.at] ^= (uint8_t)script.change.bits;
    if (doorbell)
        script_write(script.rx_doorbell, script.rx_tail);
}
