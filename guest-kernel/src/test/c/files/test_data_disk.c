/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data disk that loses power: IMAGE CUTS. The image is one that mke2fs made; a process works on a copy of it in
 * memory, behind a disk that keeps what was not flushed for itself, and at one of its writes, chosen at random, the
 * power goes: of what was not flushed each block is on the disk or not. Another process then mounts the disk, which is
 * checked, and looks whether anything that had been stored with fsync(2) is lost, and whether a file has what another
 * one wrote. e2fsck has nothing to complain of afterwards. Run by make test-files-data-disk.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/kernel_names.h"

#include "core/log.h"
#include "core/pages.h"
#include "files/ext2/ext2.h"
#include "files/support.h"
#include "lib/errno.h"
#include "memory/page_cache.h"

#define DISK_BYTES (8UL << 20)
#define UNIT 64u /* bytes of a file that say whose they are */
#define STEPS 300u

/* What outlives a process. */
static struct memory {
    uint8_t disk[DISK_BYTES]; /* what is on the disk without power */
    uint64_t writes;          /* blocks written */
    uint64_t logs_kept;       /* number of the first log file that must be there */
    uint64_t logs;            /* number of the last */
    uint64_t records[64];     /* of each of them, that were stored */
    uint64_t state;           /* the least version of the file that is replaced as a whole */
    char failure[200];
} * memory;

static const char *image;
static uint8_t pristine[DISK_BYTES];
static uint64_t cut_at; /* the power goes at this write; 0: never */

#define FAIL(...) \
    do { \
        if (!memory->failure[0]) \
            snprintf(memory->failure, sizeof(memory->failure), __VA_ARGS__); \
    } while (0)

/* ---- The disk ---- */

static struct block_device disk;
static uint8_t cached[DISK_BYTES]; /* what the machine reads: all that it wrote */
static bool unflushed[DISK_BYTES / 1024];
static uint32_t block_bytes = 1024;
static uint64_t chance = 1;
static bool full_of_errors;

static uint64_t random_number(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance;
}

static void keep_block(uint64_t block)
{
    memcpy(memory->disk + block * block_bytes, cached + block * block_bytes, block_bytes);
    unflushed[block] = false;
}

static void lose_power(void)
{
    for (uint64_t block = 0; block < DISK_BYTES / block_bytes; block++)
        if (unflushed[block] && random_number() % 2)
            keep_block(block);
    _exit(3);
}

static void write_blocks(uint64_t offset, const uint8_t *bytes, uint64_t length)
{
    for (uint64_t done = 0; done < length; done += block_bytes) {
        uint64_t block = (offset + done) / block_bytes;
        memcpy(cached + block * block_bytes, bytes + done, block_bytes);
        unflushed[block] = true;
        if (++memory->writes == cut_at)
            lose_power();
    }
}

static void submit(struct block_device *device, struct block_request *request)
{
    (void)device;
    uint64_t offset = request->sector * SECTOR_SIZE;
    for (uint64_t block = 0; request->flush && block < DISK_BYTES / block_bytes; block++)
        if (unflushed[block])
            keep_block(block);
    for (unsigned i = 0; !full_of_errors && i < request->segment_count; i++) {
        struct block_segment *segment = &request->segments[i];
        void *bytes = phys_to_virt(segment->address);
        if (request->write)
            write_blocks(offset, bytes, segment->length);
        else
            memcpy(bytes, cached + offset, segment->length);
        offset += segment->length;
    }
    request->done(request, full_of_errors ? -EIO : 0);
}

static struct file_system *fs;

static void mount_disk(void)
{
    host_init();
    page_cache_init();
    memcpy(cached, memory->disk, DISK_BYTES);
    disk =
        (struct block_device){ .name = "test", .sectors = DISK_BYTES / SECTOR_SIZE, .submit = submit, .flushes = true };
    test_memory_root(64 << 20);
    if (name_make(NULL, "/data", S_IFDIR | 0755, NULL) || ext2_open(&disk, true, &fs) || mount_at("/data", fs)) {
        FAIL("cannot mount the disk: %s", host_log());
        _exit(1);
    }
}

/* ---- Work ---- */

static struct file *opened(const char *path, uint32_t flags)
{
    struct file *file = NULL;
    return file_open(NULL, path, flags, 0600, &file) ? NULL : file;
}

static ssize_type put(struct file *file, const void *bytes, size_t length, uint64_t offset)
{
    struct transfer transfer;
    transfer_init_kernel(&transfer, (void *)bytes, length);
    return file_write_at(file, &transfer, offset);
}

static int store(struct file *file, bool data_only) { return file->inode->operations->sync(file->inode, data_only); }

static void log_path(char *path, uint64_t number) { snprintf(path, 64, "/data/log-%lu", number); }

/* A record is a unit with its log and number, and as many more as the number says. */
static unsigned record_units(uint64_t number) { return 1 + (unsigned)(number * 7919 % 40); }

static void fill_unit(uint64_t *unit, uint64_t who, uint64_t what)
{
    for (unsigned i = 0; i < UNIT / 8; i++)
        unit[i] = i ? unit[0] * (i + 3) + what : who << 32 | what | 1UL << 63;
}

static struct {
    struct file *file;
    uint64_t number, records, bytes;
} journal;

static void open_log(void)
{
    char path[64];
    log_path(path, journal.number);
    journal.file = opened(path, O_RDWR | O_CREAT);
    journal.records = journal.bytes = 0;
    if (!journal.file)
        FAIL("cannot make %s", path);
}

static void append_record(void)
{
    uint64_t units[41 * UNIT / 8];
    unsigned count = record_units(journal.records);
    for (unsigned i = 0; i < count; i++)
        fill_unit(units + i * (UNIT / 8), journal.number, journal.records);
    if (put(journal.file, units, count * UNIT, journal.bytes) == (ssize_type)(count * UNIT)) {
        journal.records++;
        journal.bytes += count * UNIT;
    }
}

static void store_log(void)
{
    if (store(journal.file, random_number() % 2))
        return;
    if (memory->logs < journal.number)
        memory->logs = journal.number;
    memory->records[journal.number % 64] = journal.records;
}

/* A new log is used, and the oldest goes. */
static void turn_log(void)
{
    char path[64];
    file_put(journal.file);
    journal.number++;
    open_log();
    if (journal.number - memory->logs_kept < 4)
        return;
    log_path(path, memory->logs_kept);
    memory->logs_kept++;
    name_unlink(NULL, path);
}

/* Written beside it and moved: each version is whole. */
static void replace_state(uint64_t version)
{
    uint64_t units[20 * UNIT / 8];
    struct file *file = opened("/data/state.new-with-a-long-name", O_RDWR | O_CREAT | O_TRUNC);
    if (!file)
        return;
    for (unsigned i = 0; i < 20; i++)
        fill_unit(units + i * (UNIT / 8), 0x7fff, version);
    bool stored = put(file, units, sizeof(units), 0) == (ssize_type)sizeof(units) && !store(file, true);
    if (stored && !name_rename(NULL, "/data/state.new-with-a-long-name", NULL, "/data/state", 0) && !store(file, false))
        memory->state = version;
    file_put(file);
}

static void noise_path(char *path, uint64_t n) { snprintf(path, 64, "/data/d%lu/file-with-number-%lu", n % 5, n % 60); }

/* Files that say in each unit which they are: other writes of the same name are other files. */
static uint64_t next_file = 1;

static void change_noise(const char *path, bool anew)
{
    uint64_t unit[UNIT / 8], who;
    struct file *file = opened(path, O_RDWR | O_CREAT | (anew ? O_TRUNC : 0));
    if (!file)
        return;
    if (anew || file_read_kernel(file, &who, sizeof(who), 0) != 8 || !who)
        who = next_file++;
    else
        who = who << 1 >> 33;
    fill_unit(unit, who, 0);
    put(file, unit, UNIT, 0);
    for (unsigned i = (unsigned)random_number() % 60; i; i--) {
        fill_unit(unit, who, i);
        put(file, unit, UNIT, (random_number() % 4 ? file->inode->size : random_number() % 300000) / UNIT * UNIT);
    }
    if (random_number() % 8 == 0)
        inode_resize(file->inode, random_number() % 100000 / UNIT * UNIT);
    if (random_number() % 8 == 0)
        store(file, false);
    file_put(file);
}

static void make_noise(void)
{
    char a[64], b[64];
    noise_path(a, random_number());
    noise_path(b, random_number());
    switch (random_number() % 8) {
    case 0:
        name_unlink(NULL, a);
        break;
    case 1:
        name_rename(NULL, a, NULL, b, 0);
        break;
    case 2:
        a[8] = 0; /* the directory */
        name_make(NULL, a, S_IFDIR | 0755, NULL);
        break;
    case 3:
        name_make(NULL, a, S_IFLNK | 0777,
                  random_number() % 2 ? "short" : "a target that is so long that it does not fit the inode");
        break;
    case 4:
        snprintf(a, sizeof(a), "/data/d%lu/sub", random_number() % 5);
        snprintf(b, sizeof(b), "/data/d%lu/sub", random_number() % 5);
        if (name_make(NULL, a, S_IFDIR | 0755, NULL))
            name_rename(NULL, a, NULL, b, 0);
        break;
    default:
        change_noise(a, random_number() % 3 == 0);
    }
}

static void one_step(uint64_t step)
{
    append_record();
    if (random_number() % 3 == 0)
        store_log();
    if (random_number() % 40 == 0)
        turn_log();
    if (random_number() % 10 == 0)
        replace_state(step + 1);
    if (random_number() % 30 == 0)
        fs->sync(fs);
    if (random_number() % 10 == 0)
        page_cache_write_some();
    if (random_number() % 20 == 0)
        pages_reclaim(UINT32_MAX, PAGES_NEEDED);
    make_noise();
}

/* In a process of its own, which ends with 3 if the power went. */
static void work(void)
{
    mount_disk();
    journal.number = memory->logs + 1;
    memory->logs_kept = journal.number;
    open_log();
    for (uint64_t i = 0; i < 5; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/data/d%lu", i);
        name_make(NULL, path, S_IFDIR | 0755, NULL);
    }
    for (uint64_t step = 0; step < STEPS; step++)
        one_step(step);
    fs->end(fs);
}

/* ---- What must be there ---- */

static void check_log(uint64_t number)
{
    char path[64];
    uint64_t offset = 0, found[UNIT / 8], wanted[UNIT / 8];
    log_path(path, number);
    struct file *file = opened(path, O_RDONLY);
    uint64_t records = memory->records[number % 64];
    if (!file && records)
        FAIL("%s is lost", path);
    for (uint64_t i = 0; file && i < records; i++)
        for (unsigned j = 0; j < record_units(i); j++, offset += UNIT) {
            fill_unit(wanted, number, i);
            if (file_read_kernel(file, found, UNIT, offset) != UNIT || memcmp(found, wanted, UNIT))
                FAIL("record %lu of %lu of %s is lost", i, records, path);
        }
    if (file)
        file_put(file);
}

static void check_state(void)
{
    uint64_t first[UNIT / 8], found[UNIT / 8];
    struct file *file = opened("/data/state", O_RDONLY);
    if (!file && memory->state)
        FAIL("the state is lost");
    if (!file)
        return;
    if (file_read_kernel(file, first, UNIT, 0) != UNIT || (uint32_t)first[0] < memory->state)
        FAIL("the state is older than version %lu", memory->state);
    for (unsigned i = 0; i < 20; i++)
        if (file_read_kernel(file, found, UNIT, i * UNIT) != UNIT || memcmp(found, first, UNIT))
            FAIL("the state is of several versions");
    file_put(file);
}

/* All units are of one file. */
static void check_noise(const char *path)
{
    uint64_t unit[UNIT / 8], who = 0;
    struct file *file = opened(path, O_RDONLY | O_NOFOLLOW);
    if (!file)
        return;
    if (is_type(file->inode, S_IFREG)) {
        for (uint64_t at = 0; file_read_kernel(file, unit, UNIT, at) == UNIT; at += UNIT) {
            if (unit[0] && who && unit[0] << 1 >> 33 != who)
                FAIL("%s has what file %lu wrote", path, (unsigned long)(unit[0] << 1 >> 33));
            who = unit[0] ? unit[0] << 1 >> 33 : who;
        }
    }
    file_put(file);
}

/* In a process of its own. */
static void look(void)
{
    mount_disk();
    for (uint64_t number = memory->logs_kept; number && number <= memory->logs; number++)
        check_log(number);
    check_state();
    for (uint64_t i = 0; i < 300; i++) {
        char path[64];
        noise_path(path, i);
        check_noise(path);
    }
    for (unsigned i = 0; i < 50; i++) /* and work goes on */
        make_noise();
    fs->end(fs);
}

/* ---- The whole ---- */

static int in_process(void (*what)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        what();
        _exit(memory->failure[0] ? 1 : 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3))
        FAIL("the process ended with status %#x", (unsigned)status);
    return WEXITSTATUS(status);
}

static void e2fsck(const char *when)
{
    char path[4096], command[9000];
    snprintf(path, sizeof(path), "%s.cut", image);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(memory->disk, DISK_BYTES, 1, file) != 1 || fclose(file))
        panic("cannot write %s", path);
    snprintf(command, sizeof(command), "e2fsck -fn %s >%s.log 2>&1", path, path);
    if (system(command) != 0)
        FAIL("e2fsck complains %s: see %.100s.log", when, path);
}

static void start(uint64_t seed)
{
    memset(memory, 0, sizeof(*memory));
    memcpy(memory->disk, pristine, DISK_BYTES);
    chance = seed * 0x9e3779b97f4a7c15UL + 1;
}

static uint64_t all_writes;

static void without_cuts(void)
{
    start(1);
    cut_at = 0;
    in_process(work);
    all_writes = memory->writes;
    e2fsck("after a clean end");
    in_process(look);
    e2fsck("after looking");
    if (memory->failure[0])
        host_fail(__FILE__, __LINE__, "%s", memory->failure);
    CHECK(all_writes > 1000);
}

static unsigned cuts;

static void with_cuts(void)
{
    uint64_t position = 88172645463325252UL;
    unsigned lost = 0;
    for (unsigned i = 0; i < cuts; i++) {
        start(i + 2);
        position = position * 6364136223846793005UL + 1442695040888963407UL;
        uint64_t at = cut_at = 1 + (position >> 33) % all_writes;
        lost += in_process(work) == 3;
        cut_at = 0;
        in_process(look);
        e2fsck("after a power cut");
        if (memory->failure[0]) {
            host_fail(__FILE__, __LINE__, "cut %u, at write %lu: %s", i, at, memory->failure);
            return;
        }
    }
    printf("# %u cuts at random among %lu writes\n", lost, all_writes);
    CHECK(lost > cuts / 2);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        panic("use test_data_disk IMAGE BLOCK_SIZE CUTS");
    image = argv[1];
    block_bytes = (uint32_t)atoi(argv[2]);
    cuts = (unsigned)atoi(argv[3]);
    memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FILE *file = fopen(image, "r");
    if (memory == MAP_FAILED || !file || fread(pristine, DISK_BYTES, 1, file) != 1)
        panic("cannot read %s", image);
    fclose(file);
    host_test("data disk: without power cuts", without_cuts);
    host_test("data disk: power cuts", with_cuts);
    return host_result();
}
