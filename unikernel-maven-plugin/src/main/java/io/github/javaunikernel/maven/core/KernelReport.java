// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** What the kernel was doing, as text: why it ended, the stacks of all CPUs and threads, its events and its log. */
final class KernelReport {

    private final StringBuilder text = new StringBuilder();
    private final GuestState guest;

    private KernelReport(GuestState guest) {
        this.guest = guest;
    }

    private interface Part {
        void add() throws IOException;
    }

    /** Writes it; a part that the dump has damaged says so in its place. */
    static String of(GuestState guest) {
        KernelReport report = new KernelReport(guest);
        report.part("Machine", () -> report.line(guest.machine()));
        report.part("Panic", report::addPanic);
        report.part("CPUs", report::addProcessors);
        report.part("Threads", report::addThreads);
        report.part("Events, the last one at the end", () -> guest.events().forEach(report::line));
        report.part("Console", () -> report.line(guest.log().strip()));
        return report.text.toString();
    }

    private void part(String title, Part part) {
        text.append(text.isEmpty() ? "" : "\n").append(title).append('\n');
        line("-".repeat(title.length()));
        try {
            part.add();
        } catch (IOException e) {
            line(e.getMessage());
        }
    }

    private void addPanic() throws IOException {
        String reason = guest.panicReason();
        line(reason.isEmpty() ? "none" : reason);
    }

    private void addProcessors() throws IOException {
        for (int i = 0; i < guest.processorCount(); i++) {
            List<Long> stack = guest.stackOf(i);
            line("CPU " + i
                    + guest.registers(i)
                            .map(registers -> stack.isEmpty()
                                    ? String.format(" in the program at %x", registers.instruction())
                                    : " in the kernel")
                            .orElse(", whose registers the dump does not have"));
            addStack(stack);
        }
    }

    private void addThreads() throws IOException {
        for (GuestThread thread : guest.threads()) {
            String kind = thread.user().isPresent() ? "thread " + thread.id() : "kernel thread";
            line(kind + " \"" + thread.name() + "\" " + thread.state()
                    + (thread.cpu() >= 0 ? " on CPU " + thread.cpu() : "")
                    + ", used " + Duration.ofNanos(thread.cpuTime()).toMillis() + " ms");
            thread.user()
                    .ifPresent(user ->
                            line(String.format("  program at %x, stack at %x", user.instruction(), user.stack())));
            addStack(thread.stack());
        }
    }

    private void addStack(List<Long> addresses) throws IOException {
        boolean innermost = true;
        for (long address : addresses) {
            line("  "
                    + (innermost
                            ? guest.symbols().describe(address)
                            : guest.symbols().describeCaller(address)));
            innermost = false;
        }
    }

    private void line(String line) {
        text.append(line).append('\n');
    }
}
