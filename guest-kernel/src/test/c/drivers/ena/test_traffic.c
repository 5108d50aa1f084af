/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that come and go, on cards of every kind, by the rules of the model. */
#include "drivers/ena/driver.h"
#include "host/host.h"

static void sends_and_receives(void)
{
    static uint8_t frame[2000];
    CHECK(driver_start(model_usual()));
    CHECK(driver_send(make_packet(1000, 1, 3)));
    fake_interrupts();
    NO_VIOLATION();
    CHECK_EQUAL(fake.frames, 1);
    CHECK(left_as(0, 1000, 3));
    CHECK(model_receive(&fake.model, frame, make_frame(frame, 900, 5)));
    fake_interrupts();
    CHECK_EQUAL(stack.received_count, 1);
    CHECK(received_as(0, 900, 5));
    CHECK(stack.received[0]->flags & PACKET_CHECKSUM_VALID);
    forget_received();
    NO_VIOLATION();
}

void test_traffic(void)
{
    host_test("ena: packets are sent and received", sends_and_receives);
}
