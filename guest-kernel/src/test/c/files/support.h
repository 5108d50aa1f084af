/* SPDX-License-Identifier: Apache-2.0 */
/* A disk in a file for tests of files/, and short ways to the system calls' worth of checking. */
#pragma once

#include "drivers/device.h"
#include "files/vfs.h"
#include "host/host.h"

/* Opens an image as a block device. Ends the program with a message if it cannot. */
struct block_device *test_disk(const char *path);
/* Every request from now on fails with -EIO. */
extern bool test_disk_fails;
/* Requests wait until the reader sleeps, and then the last one submitted is served first: set this as host_idle. */
bool test_disk_serve_last(void);
extern bool test_disk_deferred;
/* The most requests that waited at one time. */
extern unsigned test_disk_most_waiting;
/* Requests and segments submitted so far. */
extern unsigned test_disk_requests, test_disk_segments;

/* Reads a whole file into a buffer of `size`; bytes, or -errno. */
ssize_type test_read_file(const char *path, void *to, size_t size);
/* 0 or -errno. */
int test_write_file(const char *path, const char *text);
/* The inode's operation of that name, with the lock that it needs. 0 or -errno. */
int test_allocate(struct inode *inode, uint64_t offset, uint64_t length, bool keep_size, bool hole);
/* Mounts an empty memory file system as root, with the directories /tmp and /ro. Once a program. */
void test_memory_root(uint64_t limit);
