/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model's rules bite: a driver that is right breaks none on any device, and for each rule there is a fault in the
 * list that breaks it, and is noticed as that before anything else.
 */
#include <stdio.h>
#include <string.h>

#include "drivers/ena/model/internal.h"
#include "drivers/ena/script.h"
#include "drivers/ena/tests.h"
#include "host/host.h"

#define GET 0x800u
#define SET 0x900u

/* ---- What is done once the device works ---- */

static void narrow_write(void) { model_write(&script.model, 0, REG_INTR_MASK, 1, 2); }
static void unknown_register(void) { script_write(0x70, 0); }
static void written_status(void) { script_write(REG_DEV_STS, 0); }
static void read_directly(void) { (void)model_read(&script.model, 0, REG_VERSION, 4); }

static void read_during_reset(void)
{
    script_write(REG_DEV_CTL, 1);
    (void)script_read(REG_DEV_STS);
}

static void read_with_old_number(void)
{
    put16(script.memory + AT_RESPONSE, 5);
    script_write(REG_READ, 5);
}

static void reset_unready(void)
{
    script.model.faults.never_ready = true;
    (void)script_read(REG_DEV_STS);
    script_write(REG_DEV_CTL, 1);
}

static void hasty_reset(void)
{
    script_write(REG_DEV_CTL, 1);
    script_write(REG_DEV_CTL, 0);
}

static void reset_for_new_reason(void) { script_write(REG_DEV_CTL, 1 | 1 << 24); }
static void far_doorbell(void) { script_write(REG_AQ_DB, script.command_tail + 100u); }
static void unknown_feature(void) { script_feature(8, 29, 0, "", 0); }

static void large_table(void)
{
    uint8_t bytes[16] = { 0 };
    put16(bytes + 4, 9);
    put32(bytes + 8, 0xffffffff);
    uint8_t command[60] = { 0 };
    put32(command, 2048);
    put32(command + 4, SCRIPT_BASE + AT_TABLE);
    command[13] = FEATURE_RSS_TABLE;
    memcpy(command + 16, bytes, sizeof(bytes));
    script.change = (struct change){ CHANGE_COMMAND, SET | FEATURE_RSS_TABLE, 3, 4 };
    script_command(9, command, sizeof(command));
}

static void two_functions(void)
{
    uint8_t command[60] = { 0 };
    put32(script.memory + AT_TABLE, MODEL_KEY / 4);
    memset(script.memory + AT_TABLE + 8, 0x5a, MODEL_KEY);
    put32(command, 8 + MODEL_KEY);
    put32(command + 4, SCRIPT_BASE + AT_TABLE);
    command[13] = FEATURE_HASH;
    put32(command + 20, MODEL_TOEPLITZ | MODEL_CRC32);
    script.change = (struct change){ CHANGE_COMMAND, SET | FEATURE_HASH, 3, 4 };
    script_command(9, command, sizeof(command));
}

static void unknown_statistics(void)
{
    uint8_t bytes[20] = { [12] = 9, [18] = 0xff, [19] = 0xff };
    script_command(11, bytes, sizeof(bytes));
}

static void third_queue(void)
{
    uint8_t bytes[16] = { 1 << 5, 2, SCRIPT_DEPTH };
    put32(bytes + 8, SCRIPT_BASE + AT_TABLE);
    script_command(3, bytes, sizeof(bytes));
}

static void destroys_nothing(void)
{
    uint8_t bytes[4] = { 77, 0, 1 << 5, 0 };
    script_command(2, bytes, sizeof(bytes));
}

static void destroys_too_early(void)
{
    uint8_t bytes[2] = { (uint8_t)script.tx_cq, 0 };
    script_command(4, bytes, sizeof(bytes));
}

static void unknown_doorbell(void) { script_write(DOORBELLS + 7 * DOORBELL_STRIDE, 1); }
static void doorbell_round(void) { script_write(script.rx_doorbell, script.rx_tail + SCRIPT_DEPTH); }
static void last_slot(void) { script_post(SCRIPT_DEPTH - 1, true); }
static void nothing_more(void) {} /* the ring was filled as if all completions had room */
static void unmask_nothing(void) { script_write(script.tx_unmask, 0); }
static void sends(void) { script_send_simple(400, 1); }
static void sends_two(void) { script_send_simple(400, 2); }
static void sends_three(void) { script_send_simple(400, 3); }

static void same_identifier(void)
{
    script.model.hold = true;
    script_send_simple(10, 1);
    script.tx_id = 0;
    script_send_simple(10, 1);
}

static void sends_large(void) { script_send_simple(1600, 1); }

static void one_descriptor(uint32_t offload)
{
    uint32_t length = script_packet(20);
    struct script_descriptor d = script_data(0, length, D_FIRST | D_LAST | D_COMPLETION, offload);
    script_send(&d, 1, script.llq ? 54 : 0);
}

static void sends_bare(void) { one_descriptor(0); }
static void offload_without_meta(void)
{
    one_descriptor(L3_IPV4 | L4_TCP << 8 | OFFLOAD_DF | OFFLOAD_L4 | OFFLOAD_PARTIAL);
}

static void meta_without_offload(void)
{
    uint32_t length = script_packet(20);
    struct script_descriptor d[] = { script_meta(0, 0), script_data(54, length - 54, D_LAST | D_COMPLETION, 0) };
    script_send(d, 2, 54);
}

static void segments_without_l3(void)
{
    uint32_t length = script_packet(3000);
    uint32_t offload = L3_IPV4 | L4_TCP << 8 | OFFLOAD_DF | OFFLOAD_L4 | OFFLOAD_TSO;
    struct script_descriptor d[] = { script_meta(1000, 5), script_data(0, length, D_LAST | D_COMPLETION, offload) };
    d[1].word[3] = 54u << 24;
    script_send(d, 2, 0);
}

static void wrong_sum(void)
{
    uint32_t length = script_packet(20);
    script.memory[AT_DATA + 51] ^= 1;
    uint32_t offload = L3_IPV4 | L4_TCP << 8 | OFFLOAD_DF | OFFLOAD_L4 | OFFLOAD_PARTIAL;
    struct script_descriptor d[] = { script_meta(0, 0), script_data(0, length, D_LAST | D_COMPLETION, offload) };
    script_send(d, 2, 0);
}

static void narrow_store(void) { model_write(&script.model, 2, script.llq_at, 0, 4); }
static void store_elsewhere(void) { model_write(&script.model, 2, script.llq_at + 128, 0, 8); }

static void part_of_entry(void)
{
    model_write(&script.model, 2, script.llq_at, 0, 8);
    script_write(script.tx_doorbell, 1);
}

static void long_burst(void)
{
    for (uint32_t at = 0; at < 3 * 128; at += 8)
        model_write(&script.model, 2, script.llq_at + at, 0, 8);
}

static void dirty_ring(void)
{
    script.memory[AT_TABLE + 9] = 1;
    third_queue();
}

/* ---- The list ---- */

enum device { USUAL, LLQ, LLQ_NO_CACHE, LLQ_BURST, OLD, SMALL, PLAIN, WITH_RSS, FEW_PIECES, FEW_COMPLETIONS };
#define DO(function) function, #function
#define NOTHING NULL, NULL
static const struct breach {
    enum model_rule rule;
    struct change change;
    void (*after)(void); /* once the device works */
    const char *name;
    enum device device;
} breaches[] = {
    /* clang-format off */
    { RULE_REGISTER_ACCESS, { 0 }, DO(narrow_write), USUAL },
    { RULE_REGISTER_UNKNOWN, { 0 }, DO(unknown_register), USUAL },
    { RULE_REGISTER_READ_ONLY, { 0 }, DO(written_status), USUAL },
    { RULE_REGISTER_RESERVED, { CHANGE_REGISTER, REG_INTR_MASK, 0, 2 }, NOTHING, USUAL },
    { RULE_DIRECT_READ, { 0 }, DO(read_directly), USUAL },
    { RULE_READLESS_ADDRESS, { 0 }, DO(read_during_reset), USUAL },
    { RULE_READLESS_PRIMED, { 0 }, DO(read_with_old_number), USUAL },
    { RULE_RESET_READY, { 0 }, DO(reset_unready), USUAL },
    { RULE_RESET_PHASES, { 0 }, DO(hasty_reset), USUAL },
    { RULE_RESET_REASON, { 0 }, DO(reset_for_new_reason), OLD },
    { RULE_DMA_ADDRESS, { CHANGE_COMMAND, SET | FEATURE_HOST, 25, 0x40 }, NOTHING, USUAL },
    { RULE_RING_ZEROED, { 0 }, DO(dirty_ring), USUAL },
    { RULE_ADMIN_RING, { CHANGE_REGISTER, REG_AQ_CAPS, 0, 96 << 16 }, NOTHING, USUAL },
    { RULE_AENQ_EXISTS, { OMIT_REGISTER, REG_AENQ_CAPS, 0, 0 }, NOTHING, USUAL },
    { RULE_INTERRUPT_MASK, { OMIT_REGISTER, REG_INTR_MASK, 0, 0 }, NOTHING, USUAL },
    { RULE_ADMIN_DOORBELL, { 0 }, DO(far_doorbell), USUAL },
    { RULE_ADMIN_PHASE, { CHANGE_COMMAND, GET | FEATURE_AENQ, 3, 1 }, NOTHING, USUAL },
    { RULE_ADMIN_ID, { CHANGE_COMMAND, GET | FEATURE_AENQ, 0, 0x40 }, NOTHING, USUAL },
    { RULE_ADMIN_RESERVED, { CHANGE_COMMAND, GET | FEATURE_AENQ, 40, 1 }, NOTHING, USUAL },
    { RULE_ADMIN_OPCODE, { CHANGE_COMMAND, GET | FEATURE_AENQ, 2, 4 }, NOTHING, USUAL },
    { RULE_CONTROL_BUFFER, { CHANGE_COMMAND, GET | FEATURE_AENQ, 3, 4 }, NOTHING, USUAL },
    { RULE_HOST_INFO_FIRST, { OMIT_COMMAND, SET | FEATURE_HOST, 0, 0 }, NOTHING, USUAL },
    { RULE_HOST_INFO_FORM, { CHANGE_HOST, 0, 172, 3 }, NOTHING, USUAL },
    { RULE_FEATURE_SUPPORTED, { 0 }, DO(unknown_feature), USUAL },
    { RULE_FEATURE_VERSION, { CHANGE_COMMAND, GET | FEATURE_QUEUES_EXT, 18, 1 }, NOTHING, USUAL },
    { RULE_AENQ_GROUPS, { CHANGE_COMMAND, SET | FEATURE_AENQ, 24, 0x20 }, NOTHING, USUAL },
    { RULE_AENQ_HEAD, { CHANGE_REGISTER, REG_AENQ_HEAD, 0, 1 }, NOTHING, USUAL },
    { RULE_LLQ_CONFIG, { CHANGE_COMMAND, SET | FEATURE_LLQ, 34, 2 }, NOTHING, LLQ },
    { RULE_MTU_RANGE, { CHANGE_COMMAND, SET | FEATURE_MTU, 21, 0xff }, NOTHING, USUAL },
    { RULE_RSS_TABLE, { 0 }, DO(large_table), WITH_RSS },
    { RULE_RSS_HASH, { 0 }, DO(two_functions), WITH_RSS },
    { RULE_STATISTICS, { 0 }, DO(unknown_statistics), USUAL },
    { RULE_CQ_FORM, { CHANGE_COMMAND, 3 << 8, 5, 1 }, NOTHING, USUAL },
    { RULE_CQ_VECTOR, { CHANGE_COMMAND, 3 << 8, 8, 0x80 }, NOTHING, USUAL },
    { RULE_SQ_FORM, { CHANGE_COMMAND, 1 << 8, 7, 1 }, NOTHING, USUAL },
    { RULE_SQ_COMPLETIONS, { CHANGE_COMMAND, 1 << 8, 8, 0x40 }, NOTHING, USUAL },
    { RULE_SQ_LLQ, { CHANGE_COMMAND, 1 << 8, 6, 2 }, NOTHING, USUAL },
    { RULE_QUEUE_LIMIT, { 0 }, DO(third_queue), SMALL },
    { RULE_DESTROY_UNKNOWN, { 0 }, DO(destroys_nothing), USUAL },
    { RULE_DESTROY_ORDER, { 0 }, DO(destroys_too_early), USUAL },
    { RULE_DOORBELL_UNKNOWN, { 0 }, DO(unknown_doorbell), USUAL },
    { RULE_DOORBELL_VALUE, { 0 }, DO(doorbell_round), USUAL },
    { RULE_SLOT_FREE, { 0 }, DO(last_slot), USUAL },
    { RULE_COMPLETION_ROOM, { 0 }, DO(nothing_more), FEW_COMPLETIONS },
    { RULE_UNMASK_FORM, { 0 }, DO(unmask_nothing), USUAL },
    { RULE_TX_PHASE, { CHANGE_SENT, 1, 0, 1 << 24 }, DO(sends), USUAL },
    { RULE_TX_RESERVED, { CHANGE_SENT, 1, 0, 1 << 25 }, DO(sends), USUAL },
    { RULE_TX_FIRST_LAST, { CHANGE_SENT, 1, 0, D_FIRST }, DO(sends), USUAL },
    { RULE_TX_LATER_FIELDS, { CHANGE_SENT, 2, 1, L3_IPV4 }, DO(sends_two), USUAL },
    { RULE_TX_COMPLETION, { CHANGE_SENT, 1, 0, D_COMPLETION }, DO(sends), USUAL },
    { RULE_TX_ID, { CHANGE_SENT, 1, 0, 1 << 16 }, DO(sends), USUAL },
    { RULE_TX_ID, { 0 }, DO(same_identifier), USUAL },
    { RULE_TX_COUNT, { 0 }, DO(sends_two), FEW_PIECES },
    { RULE_TX_LENGTH, { CHANGE_SENT, 1, 0, 454 }, DO(sends), USUAL },
    { RULE_TX_HEADER_LENGTH, { CHANGE_SENT, 1, 3, 128u << 24 }, DO(sends), LLQ },
    { RULE_TX_MTU, { 0 }, DO(sends_large), USUAL },
    { RULE_META_FORM, { CHANGE_SENT, 0, 1, 1 }, DO(sends), USUAL },
    { RULE_META_PLACE, { CHANGE_SENT, 2, 0, D_META }, DO(sends_three), USUAL },
    { RULE_META_MISSING, { 0 }, DO(sends_bare), LLQ_NO_CACHE },
    { RULE_META_MISSING, { 0 }, DO(offload_without_meta), USUAL },
    { RULE_META_EMPTY, { 0 }, DO(meta_without_offload), LLQ_NO_CACHE },
    { RULE_META_VALUES, { CHANGE_SENT, 0, 2, 1 }, DO(sends), USUAL },
    { RULE_OFFLOAD_ANNOUNCED, { 0 }, DO(sends), PLAIN },
    { RULE_OFFLOAD_FORM, { CHANGE_SENT, 1, 1, L4_TCP << 8 }, DO(sends), USUAL },
    { RULE_OFFLOAD_FORM, { 0 }, DO(segments_without_l3), USUAL },
    { RULE_OFFLOAD_PROTOCOL, { CHANGE_SENT, 1, 1, OFFLOAD_DF }, DO(sends), USUAL },
    { RULE_PSEUDO_SUM, { 0 }, DO(wrong_sum), USUAL },
    { RULE_LLQ_ACCESS, { 0 }, DO(narrow_store), LLQ },
    { RULE_LLQ_ORDER, { 0 }, DO(store_elsewhere), LLQ },
    { RULE_LLQ_WHOLE, { 0 }, DO(part_of_entry), LLQ },
    { RULE_LLQ_BURST, { 0 }, DO(long_burst), LLQ_BURST },
    { RULE_LLQ_REST, { CHANGE_ENTRY, 0, 127, 1 }, DO(sends), LLQ },
    { RULE_RX_PHASE, { CHANGE_BUFFER, 3, 3, 1 }, NOTHING, USUAL },
    { RULE_RX_FORM, { CHANGE_BUFFER, 3, 3, 4 }, NOTHING, USUAL },
    { RULE_RX_ID, { CHANGE_BUFFER, 3, 4, 0x40 }, NOTHING, USUAL },
    { RULE_RX_LENGTH, { CHANGE_BUFFER, 3, 1, 0x0c }, NOTHING, USUAL },
    { RULE_RX_FILLED, { OMIT_BUFFER, 0, 0, 0 }, NOTHING, USUAL },
    /* clang-format on */
};

static struct model_variant device_of(enum device kind)
{
    struct model_variant v = model_usual();
    if (kind == LLQ || kind == LLQ_NO_CACHE || kind == LLQ_BURST)
        v.llq_sizes = 1 | 4;
    v.no_meta_caching = kind == LLQ_NO_CACHE;
    v.burst_bytes = kind == LLQ_BURST ? 256 : 0;
    if (kind == OLD)
        v.capabilities = 0;
    if (kind == SMALL)
        v.queues = 1;
    if (kind == PLAIN)
        v.tx_offloads = 1;
    if (kind == WITH_RSS) {
        v.rss_log2 = 7;
        v.hash_functions = MODEL_TOEPLITZ | MODEL_CRC32;
    }
    if (kind == FEW_PIECES)
        v.tx_pieces = 2;
    if (kind == FEW_COMPLETIONS)
        v.completions_granted = 4;
    return v;
}

static void run(const struct breach *b)
{
    script_start(device_of(b->device), b->change);
    if (b->after != NULL)
        b->after();
}

static void each_fault_is_noticed(void)
{
    for (unsigned i = 0; i < array_size(breaches); i++) {
        const struct breach *b = &breaches[i];
        run(b);
        const char *first = script.model.first_violation, *wanted = model_rule_text(b->rule);
        if (first != wanted) {
            host_fail(__FILE__, __LINE__, "%s (breach %u): noticed was %s", model_rule_name(b->rule), i,
                      first != NULL ? first : "nothing");
            return;
        }
    }
}

static void each_rule_has_a_fault(void)
{
    bool has[RULE_COUNT] = { false };
    for (unsigned i = 0; i < array_size(breaches); i++)
        has[breaches[i].rule] = true;
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (!has[i])
            host_fail(__FILE__, __LINE__, "nothing breaks %s", model_rule_name(i));
}

static void what_is_right_breaks_none(void)
{
    for (enum device kind = USUAL; kind <= FEW_PIECES; kind++) {
        script_start(device_of(kind), (struct change){ 0 });
        for (unsigned i = 0; i < 100 && kind != PLAIN; i++)
            script_send_simple(100 + i, kind == FEW_PIECES ? 1 : 1 + i % 4);
        if (script.model.violations != 0)
            host_fail(__FILE__, __LINE__, "device %u: %s", kind, script.model.first_violation);
        CHECK_EQUAL(script.frames, kind == PLAIN ? 0 : 100);
    }
}

/* ---- The table of guest-kernel/docs/ena-model.md ---- */

static void print_breach(const struct breach *b)
{
    static const char *const changes[] = {
        [CHANGE_REGISTER] = "another value of a register", [OMIT_REGISTER] = "a register that is not written",
        [CHANGE_COMMAND] = "another byte in a command",    [OMIT_COMMAND] = "a command that is not sent",
        [CHANGE_HOST] = "another byte of the host's page", [CHANGE_BUFFER] = "another byte of a buffer's descriptor",
        [OMIT_BUFFER] = "a buffer that is not posted",     [CHANGE_SENT] = "another bit of a descriptor",
        [CHANGE_ENTRY] = "another byte of an entry",
    };
    if (b->change.kind != CHANGE_NOTHING)
        printf("%s", changes[b->change.kind]);
    else
        printf("`%s()`", b->name);
}

void print_rules(void)
{
    for (enum model_rule rule = 0; rule < RULE_COUNT; rule++) {
        const char *between = " | ";
        printf("| `%s` | %s", model_rule_name(rule), model_rule_text(rule) + strlen("rule: "));
        for (unsigned i = 0; i < array_size(breaches); i++) {
            if (breaches[i].rule != rule)
                continue;
            printf("%s", between);
            print_breach(&breaches[i]);
            between = ", ";
        }
        printf(" |\n");
    }
}

void test_rules(void)
{
    host_test("ena model: what is right breaks no rule", what_is_right_breaks_none);
    host_test("ena model: each fault is noticed", each_fault_is_noticed);
    host_test("ena model: each rule has a fault", each_rule_has_a_fault);
}
