/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the machine ends, and what the host asks of it. process_exit() and process_killed() are called in a thread of the
 * process, stop the others, write what is still to be written, and do not return.
 *
 * kernel_control() and kernel_control_key() are called by drivers in interrupt context: they send a signal, or wake the
 * thread of linux/restore.c. reboot_wanted only becomes true. The kernel lock is held, and there is no other.
 */
#include "core/console.h"
#include "core/journal.h"
#include "core/lock_statistics.h"
#include "core/log.h"
#include "files/file.h"
#include "linux/process.h"
#include "linux/profile_output.h"
#include "linux/restore.h"
#include "linux/signals.h"
#include "net/net.h"
#include "net/syslog.h"
#include "platform/platform.h"
#include "threads/failing.h"
#include "threads/thread.h"

/* A server's last answers still have to reach its clients. */
#define CLOSING_TIME NS_PER_SECOND

static bool reboot_wanted;

/* With crash=keep, after a signal whose action is "Core" in signal(7). */
static bool is_kept(enum platform_event event, unsigned number)
{
    const uint64_t core = signal_bit(SIGQUIT) | signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGABRT) |
                          signal_bit(SIGBUS) | signal_bit(SIGFPE) | signal_bit(SIGSEGV) | signal_bit(SIGXCPU) |
                          signal_bit(SIGXFSZ) | signal_bit(SIGSYS);
    return event == EVENT_KILLED && platform.keeps_crashed && core & signal_bit(number);
}

static noreturn void end(enum platform_event event, unsigned number)
{
    failing_end();
    if (journal_started()) {
        threads_stop_others();
        syslog_end();
    }
    threads_keep_boot_cpu();
    files_end();
    /* After a reboot the same machine wants the same address. */
    net_shut_down(CLOSING_TIME, !reboot_wanted);
    profile_output_end();
    console_stop_buffering();
    lock_statistics_print();
    platform_report(event, number);
    if (is_kept(event, number)) {
        log_always("the machine is kept for a dump of its memory, as crash=keep asks for");
        platform_crash();
    }
    if (reboot_wanted)
        platform_reboot();
    platform_power_off();
}

void process_exit(int status)
{
    threads_begin_end();
    log_always("exit status=%d", status);
    end(EVENT_EXIT, (unsigned)status);
}

void process_killed(int signal)
{
    threads_begin_end();
    log_always("killed by signal %d", signal);
    end(EVENT_KILLED, (unsigned)signal);
}

void kernel_control(enum control_request request)
{
    static const char *const names[] = {
        [CONTROL_POWER_OFF] = "power off",
        [CONTROL_REBOOT] = "reboot",
        [CONTROL_THREAD_DUMP] = "thread dump",
        [CONTROL_SUSPEND] = "suspend",
    };
    log_info("control request: %s", names[request]);
    if (request == CONTROL_SUSPEND) {
        restore_suspend();
        return;
    }
    struct signal_info info = { .code = SI_KERNEL };
    info.number = request == CONTROL_THREAD_DUMP ? SIGQUIT : SIGTERM;
    reboot_wanted = reboot_wanted || request == CONTROL_REBOOT;
    signal_send_process(&info);
}

void kernel_control_key(char key)
{
    switch (key) {
    case 'b':
        kernel_control(CONTROL_REBOOT);
        break;
    case 'o':
        kernel_control(CONTROL_POWER_OFF);
        break;
    case 't':
    case 'q':
        kernel_control(CONTROL_THREAD_DUMP);
        break;
    default:
        log_error("sysrq key '%c' is unknown: use t or q (thread dump), o (power off), b (reboot)", key);
    }
}
