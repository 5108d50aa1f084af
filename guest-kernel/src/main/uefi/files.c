/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that boot, on the partition that this loader was started from. The firmware reads the file system.
 *
 * A file is open from files_open() to files_close(). No length that the firmware says is trusted further than that
 * nothing is written beyond what was asked for.
 */
#include "uefi.h"

#define FILES 2

static const char names[FILES][sizeof("the kernel")] = { "the kernel", "menu.lst" };
static const uint16_t paths[FILES][sizeof("\\EFI\\UNIKERN\\KERNEL.ELF")] = { u"\\EFI\\UNIKERN\\KERNEL.ELF",
                                                                             u"\\EFI\\UNIKERN\\MENU.LST" };

static struct open_file {
    struct efi_file *file; /* NULL: not open */
    uint32_t size;
} files[FILES];
static struct efi_file *root; /* NULL: not open */

static void *protocol_of(void *handle, const struct efi_guid *guid, const char *name)
{
    void *protocol = NULL;
    efi_status status = efi_system->boot->handle_protocol(handle, guid, &protocol);
    if (status != EFI_SUCCESS || !protocol)
        fail("the firmware has no %s for the loader's disk (status 0x%llx); boot from the image's first partition",
             name, (unsigned long long)status);
    return protocol;
}

static noreturn void failed(const char *what, enum boot_file which, efi_status status)
{
    fail("cannot %s %s in \\EFI\\UNIKERN (status 0x%llx); write the whole image to the disk", what, names[which],
         (unsigned long long)status);
}

static void open(enum boot_file which)
{
    struct open_file *open = &files[which];
    uint64_t size = 0;
    efi_status status = root->open(root, &open->file, paths[which], EFI_FILE_MODE_READ, 0);
    if (status != EFI_SUCCESS)
        open->file = NULL;
    if (status == EFI_SUCCESS)
        status = open->file->set_position(open->file, EFI_FILE_END);
    if (status == EFI_SUCCESS)
        status = open->file->get_position(open->file, &size);
    if (status != EFI_SUCCESS)
        failed("open", which, status);
    if (size > UINT32_MAX)
        fail("%s has more than 4 GiB; build the image again", names[which]);
    open->size = (uint32_t)size;
}

void files_open(void)
{
    static const struct efi_guid loaded_image = EFI_LOADED_IMAGE_GUID;
    static const struct efi_guid simple_file_system = EFI_SIMPLE_FILE_SYSTEM_GUID;
    struct efi_loaded_image *image = protocol_of(efi_image, &loaded_image, "loaded image protocol");
    struct efi_simple_file_system *volume = protocol_of(image->device, &simple_file_system, "file system");
    efi_status status = volume->open_volume(volume, &root);
    if (status != EFI_SUCCESS)
        root = NULL;
    if (!root)
        fail("cannot open the partition of the loader (status 0x%llx); write the whole image to the disk",
             (unsigned long long)status);
    open(FILE_KERNEL);
    open(FILE_MENU);
}

void files_close(void)
{
    for (unsigned i = 0; i < FILES; i++) {
        if (files[i].file)
            files[i].file->close(files[i].file);
        files[i].file = NULL;
    }
    if (root)
        root->close(root);
    root = NULL;
}

uint32_t file_size(enum boot_file which) { return files[which].size; }

void file_read(enum boot_file which, uint32_t offset, void *to, uint32_t length)
{
    struct efi_file *file = files[which].file;
    if (offset > files[which].size || length > files[which].size - offset)
        fail("%s is cut off; build the image again", names[which]);
    efi_status status = file->set_position(file, offset);
    while (status == EFI_SUCCESS && length > 0) {
        uint64_t count = length;
        status = file->read(file, &count, to);
        if (status != EFI_SUCCESS)
            break;
        if (count == 0 || count > length)
            fail("%s ends early; write the whole image to the disk", names[which]);
        to = (char *)to + count;
        length -= (uint32_t)count;
    }
    if (status != EFI_SUCCESS)
        failed("read", which, status);
}
