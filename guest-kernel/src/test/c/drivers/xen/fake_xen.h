/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Xen host for the front ends under test: event channels, a grant table, a xenstore daemon with
 * its tree, a disk backend and a network backend that sends every packet back. All of it acts in
 * fake_run(), which the drivers' cpu_wait() calls.
 */
#pragma once

#include "lib/types.h"

#define FAKE_CONSOLE_PORT 2U
#define FAKE_STORE_PORT 1U
#define FAKE_DISK_SECTORS 4096UL

/* Starts from nothing: empties the tree, forgets channels and grants, starts console and xenstore with
 * rings whose indices begin at `index`. */
void fake_start(uint32_t index);
/* Lets daemon and backends act and delivers events until all is quiet. True if anything happened. */
bool fake_run(void);

void fake_store_write(const char *path, const char *value);
/* The value, or NULL. */
const char *fake_store_read(const char *path);
void fake_store_remove(const char *path);
/* The daemon speaks garbage from now on. */
extern bool fake_store_hostile;

/* A disk and a NIC in the tree, the disk's backend in this state (xenbus.h: 2 InitWait, 4 Connected); the NIC's
 * accepts packets in several slots, and completes checksums of IPv6, with feature-sg "1". */
void fake_add_disk(unsigned number, int backend_state, const char *mode);
void fake_add_nic(unsigned number, const char *feature_sg);
/* What its backend says of its address; at first nothing. */
void fake_nic_mac(const char *mac);
/* A console in the tree, with this name. */
void fake_add_channel(unsigned number, const char *name);
void fake_channel_leave(void);
extern uint8_t fake_disk[FAKE_DISK_SECTORS * 512];
/* Backends keep what they are asked for to themselves while set. */
extern bool fake_backends_asleep;
/* Backends do not see what the front ends write to the store while set. */
extern bool fake_backends_silent;
/* The disk's backend lets go of what it has mapped when it has closed. */
extern bool fake_backends_let_go;
/* What the disk answers next instead of success, once. */
extern int16_t fake_disk_status;
/* Largest piece the NIC gives back in one slot. */
extern uint32_t fake_nic_piece;
/* Packets seen by the NIC, and those with segmentation info. */
extern unsigned fake_nic_packets, fake_nic_segmented;
/* xen/io/netif.h: XEN_NETIF_GSO_TYPE_* of the last packet. */
extern unsigned fake_nic_segments_type;
/* Queues that the NIC is connected by; more than these it turns down, NETFRONT_QUEUES unless set; and the one by which
 * the last packet came. */
unsigned fake_nic_queues(void);
extern unsigned fake_nic_queues_taken, fake_nic_queue;
/* What the NIC saw last. */
extern uint8_t fake_nic_data[65536];
extern uint32_t fake_nic_length;

/* The backend closes, to come back when the front end has closed; or is taken away by the toolstack. */
void fake_disk_leave(void);
void fake_disk_detach(void);
void fake_nic_leave(void);
void fake_nic_detach(void);
/* The toolstack attaches the one device there is again. */
void fake_attach_again(void);

/* xen_host->suspend(): the toolstack changes its mind; or the domain goes on as another one: without channels, grants
 * and watches, and with backends that wait for it elsewhere in the tree. */
extern bool fake_suspend_is_cancelled;

/* The pages shared with the backends, for tests that scribble on them; NULL until connected. */
void *fake_disk_ring(void);
void *fake_transmit_ring(unsigned queue);
void *fake_receive_ring(unsigned queue);
/* The backend's end of the channels. */
uint32_t fake_disk_port(void);
uint32_t fake_nic_port(unsigned queue);
/* NULL: the backend is not connected. */
void *fake_channel_ring(void);
uint32_t fake_channel_port(void);
/* Which CPU a port interrupts. */
unsigned fake_port_cpu(uint32_t port);
void fake_raise(uint32_t port);

/* Grants valid now. */
unsigned fake_grants_used(void);
/* The memory of a granted page; NULL if the reference is not valid (or is read-only when written). */
void *fake_grant(uint32_t reference, bool write);
/* How many of the pages granted now show 16 bytes in a row of what the host shim fills new memory with. */
unsigned fake_grants_leaking(void);
/* The backend maps every page granted now, or lets go of all it has mapped: grants cannot be revoked meanwhile. */
void fake_map_grants(void);
void fake_unmap_grants(void);
/* When nothing is granted but what the backend kept: drops what the front ends hold on to those pages by. Their
 * references do not come back before grants_init(). */
void fake_forget_kept_pages(void);
/* What the guest wrote to the console, NUL-terminated. */
const char *fake_console_output(void);
void fake_type(const char *text);
extern unsigned fake_notifications;
/* The events interrupt another CPU than the one that calls; how often the latter was not interrupted by that one. */
extern bool fake_events_elsewhere;
extern unsigned fake_overslept;

void fake_store_start(uint32_t index);
void fake_store_resume(void);
void fake_backends_resume(void);
bool fake_store_step(void);
bool fake_disk_step(void);
bool fake_nic_step(void);
void fake_backends_start(void);
/* Called by the store after the guest wrote a node. */
void fake_backends_written(const char *path);
bool fake_port_pending(uint32_t port); /* takes the guest's notification */
