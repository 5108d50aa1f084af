// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The kernel in the memory of a machine, and the one program that it runs. Not thread-safe. */
final class GuestState implements Closeable {

    /** enum thread_state of the kernel (threads/thread.h). */
    private static final List<String> STATES = List.of("running", "ready", "prepared", "sleeping", "ended");
    /** The kernel's limits, above which there is a circle: kernel stacks (threads/stack.h), areas (memory/areas.h). */
    private static final int MAX_THREADS = 1 << 16;

    private static final int MAX_AREAS = 1 << 17;
    private static final int MAX_PROCESSORS = 64;
    private static final int MAX_NAMES = 256;
    private static final int MAX_PATH = 4096;
    private static final int MAX_FRAMES = 64;
    private static final int NAME_MAX = 255;
    /** struct registers of the kernel (platform/platform.h). */
    private static final int FRAME_SIZE = 22 * Long.BYTES;
    /** What context_switch() leaves on a stack: rbp is the sixth word, the return address comes after it. */
    private static final int SAVED_RBP = 40;
    /** The area of FXSAVE, with which that of XSAVE begins (Intel SDM 1, chapter 13). */
    private static final int FLOATING_POINT_SIZE = 512;

    private static final long LONGEST_AUXILIARY = 4096;

    private final MachineDump dump;
    private final Description description;
    private final PageTables tables;
    private final KernelMemory memory;
    private final Symbols symbols;
    /** Addresses below it are the program's. */
    private final long userLimit;

    private GuestState(MachineDump dump) throws IOException {
        this.dump = dump;
        description = Description.find(dump);
        tables = new PageTables(dump, description.rootFrame(dump));
        memory = new KernelMemory(tables);
        symbols = new Symbols(memory, description);
        userLimit = description.value("user_limit");
        if (description.size("registers.size") != FRAME_SIZE) {
            throw DumpException.damaged("the kernel saves other registers than this plugin knows");
        }
    }

    /** Opens a dump and finds the kernel in it. */
    static GuestState open(Path file) throws IOException {
        MachineDump dump = MachineDump.open(file);
        try {
            return new GuestState(dump);
        } catch (IOException e) {
            dump.close();
            throw e;
        }
    }

    PageTables tables() {
        return tables;
    }

    Symbols symbols() {
        return symbols;
    }

    /** Bytes of the file that the memory is in. */
    long fileSize() {
        return dump.file().size();
    }

    /** The machine: platform, memory and command line. */
    String machine() throws IOException {
        long platform = description.value("platform");
        String name = memory.text(memory.word(platform + description.size("platform_information.name")), NAME_MAX);
        long bytes = memory.word(platform + description.size("platform_information.memory_bytes"));
        String options = memory.text(platform + description.size("platform_information.command_line"), MAX_PATH);
        return name + ", " + (bytes >>> 20) + " MiB, " + processorCount() + " CPUs, options: " + options;
    }

    /** Why the kernel panicked; empty if it did not. */
    String panicReason() throws IOException {
        return memory.text(description.value("panic_reason"), description.size("panic_reason.size"));
    }

    /** The end of what was written to the console, which may begin in the middle of a line. */
    String log() throws IOException {
        int size = description.size("console.size");
        long end = memory.word(description.value("console.filled_to"));
        ByteBuffer ring = memory.bytes(description.value("console"), size);
        int length = (int) Math.min(Math.max(end, 0), size);
        byte[] text = new byte[length];
        for (int i = 0; i < length; i++) {
            text[i] = ring.get((int) Long.remainderUnsigned(end - length + i, size));
        }
        return new String(text, StandardCharsets.UTF_8).replace("\r", "");
    }

    /** The last events, oldest first. */
    List<String> events() throws IOException {
        int count = description.size("events.count");
        int size = description.size("event.size");
        ByteBuffer ring = memory.bytes(description.value("events"), count * size);
        int next = memory.number(description.value("events.next"));
        List<String> events = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int at = Integer.remainderUnsigned(next + i, count) * size;
            long what = ring.getLong(at + description.size("event.what"));
            if (what != 0) {
                events.add(String.format(
                        "%s %x %x",
                        memory.text(what, NAME_MAX),
                        ring.getLong(at + description.size("event.a")),
                        ring.getLong(at + description.size("event.b"))));
            }
        }
        return events;
    }

    /** The registers of a processor, if the dump has them. */
    Optional<Registers> registers(int processor) {
        return processor >= 0 && processor < dump.processors().size()
                ? Optional.of(dump.processors().get(processor))
                : Optional.empty();
    }

    int processorCount() throws IOException {
        int count = memory.number(description.value("cpus_online"));
        if (count < 1 || count > MAX_PROCESSORS) {
            throw DumpException.damaged("the kernel counts " + count + " processors");
        }
        return count;
    }

    /** Return addresses of a processor that is in the kernel, innermost first; empty when it is not. */
    List<Long> stackOf(int processor) throws IOException {
        Optional<Registers> registers = registers(processor);
        if (registers.isEmpty() || isOfProgram(registers.get().instruction())) {
            return List.of();
        }
        List<Long> addresses = new ArrayList<>(List.of(registers.get().instruction()));
        addCallers(registers.get().frame(), addresses);
        return addresses;
    }

    /** All threads but the idle ones. */
    List<GuestThread> threads() throws IOException {
        List<Long> running = runningThreads();
        int link = description.size("thread.all_link");
        long head = description.value("threads");
        List<GuestThread> threads = new ArrayList<>();
        Set<Long> seen = new HashSet<>();
        for (long node = memory.word(head); node != head; node = memory.word(node)) {
            if (!seen.add(node) || seen.size() > MAX_THREADS) {
                throw DumpException.damaged("the list of threads goes round in a circle");
            }
            threads.add(thread(node - link, running.indexOf(node - link)));
        }
        return threads;
    }

    private List<Long> runningThreads() throws IOException {
        List<Long> threads = new ArrayList<>();
        for (int i = 0; i < processorCount(); i++) {
            long cpu = memory.word(description.value("cpus") + (long) i * Long.BYTES);
            // The boot CPU alone is not in the table before the others are started.
            threads.add(cpu == 0 ? 0 : memory.word(cpu + description.size("cpu.current")));
        }
        return threads;
    }

    private GuestThread thread(long address, int cpu) throws IOException {
        int state = memory.number(address + description.size("thread.state"));
        boolean ofProgram = memory.word(address + description.size("thread.user")) != 0;
        long area = memory.word(address + description.size("thread.fpu_area"));
        return new GuestThread(
                memory.number(address + description.size("thread.id")),
                memory.text(address + description.size("thread.name"), description.size("thread.name_size")),
                state >= 0 && state < STATES.size() ? STATES.get(state) : "in state " + state,
                cpu,
                memory.word(address + description.size("thread.cpu_time")),
                ofProgram ? Optional.of(userRegisters(address, cpu)) : Optional.empty(),
                area == 0
                        ? new byte[0]
                        : memory.bytes(area, FLOATING_POINT_SIZE).array(),
                kernelStack(address, cpu));
    }

    /** Those of the processor, if it runs the thread's code just now; else those that the entry to the kernel saved. */
    private Registers userRegisters(long thread, int cpu) throws IOException {
        long fsBase = memory.word(thread + description.size("thread.fs_base"));
        Optional<Registers> now = registers(cpu).filter(registers -> isOfProgram(registers.instruction()));
        if (now.isPresent()) {
            return now.get().ofThread(fsBase);
        }
        long stack = memory.word(thread + description.size("thread.stack"));
        long top = memory.word(stack + description.size("kernel_stack.top"));
        return Registers.ofKernel(memory.bytes(top - FRAME_SIZE, FRAME_SIZE)).ofThread(fsBase);
    }

    private List<Long> kernelStack(long thread, int cpu) throws IOException {
        if (registers(cpu).isPresent()) {
            return stackOf(cpu);
        }
        long saved = memory.word(thread + description.size("thread.stack_pointer"));
        List<Long> addresses = new ArrayList<>(List.of(memory.word(saved + SAVED_RBP + Long.BYTES)));
        addCallers(memory.word(saved + SAVED_RBP), addresses);
        return addresses;
    }

    /** Follows the frame pointers, which only grow, as far as they lead. */
    private void addCallers(long frame, List<Long> addresses) throws IOException {
        long last = 0;
        for (long at = frame; addresses.size() < MAX_FRAMES && isFrame(at, last); at = memory.word(at)) {
            long caller = memory.word(at + Long.BYTES);
            if (caller == 0) {
                return;
            }
            addresses.add(caller);
            last = at;
        }
    }

    private boolean isFrame(long at, long last) throws IOException {
        return !isOfProgram(at)
                && (at & Long.BYTES - 1) == 0
                && (last == 0 || Long.compareUnsigned(at, last) > 0)
                && tables.page(at) != null
                && tables.page(at + Long.BYTES) != null;
    }

    private boolean isOfProgram(long address) {
        return Long.compareUnsigned(address, userLimit) < 0;
    }

    /** The program's memory in ascending order. */
    List<Area> areas() throws IOException {
        int node = description.size("area.node");
        List<Area> areas = new ArrayList<>();
        Deque<Long> above = new ArrayDeque<>();
        long at = memory.word(description.value("areas") + description.size("tree.root"));
        int steps = 0;
        while (at != 0 || !above.isEmpty()) {
            if (++steps > MAX_AREAS * 2) {
                throw DumpException.damaged("the tree of areas goes round in a circle");
            }
            if (at != 0) {
                above.push(at);
                at = memory.word(at + description.size("tree_node.left"));
            } else {
                long here = above.pop();
                add(area(here - node), areas);
                at = memory.word(here + description.size("tree_node.right"));
            }
        }
        return areas;
    }

    private void add(Area area, List<Area> areas) throws DumpException {
        long before = areas.isEmpty() ? 0 : areas.get(areas.size() - 1).end();
        if (area.start() < before || area.end() <= area.start() || !isOfProgram(area.end() - 1)) {
            throw DumpException.damaged(String.format(
                    "the program's memory from %x to %x overlaps other memory", area.start(), area.end()));
        }
        areas.add(area);
    }

    private Area area(long address) throws IOException {
        long object = memory.word(address + description.size("area.object"));
        return new Area(
                memory.word(address + description.size("area.start")),
                memory.word(address + description.size("area.end")),
                memory.number(address + description.size("area.protection")),
                object == 0 ? null : path(object - description.size("file.mappable")),
                memory.word(address + description.size("area.offset")));
    }

    /** As dentry_path() of the kernel has it (files/dentry.c). */
    private String path(long file) throws IOException {
        long entry = memory.word(file + description.size("file.dentry"));
        if (entry == 0) {
            return null;
        }
        StringBuilder path = new StringBuilder();
        if (memory.bytes(entry + description.size("dentry.removed"), 1).get() != 0) {
            path.append(" (deleted)");
        }
        for (int i = 0; entry != 0; i++) {
            if (i == MAX_NAMES) {
                throw DumpException.damaged("the names of a file go round in a circle");
            }
            long parent = memory.word(entry + description.size("dentry.parent"));
            if (parent == 0) {
                entry = memory.word(entry + description.size("dentry.covers"));
                continue;
            }
            long name = memory.word(entry + description.size("dentry.name"));
            path.insert(0, "/" + memory.text(name, NAME_MAX));
            entry = parent;
        }
        return path.isEmpty() ? "/" : path.toString();
    }

    /** The path of the program in the guest; empty before it was started. */
    String executable() throws IOException {
        long view = description.value("process_view");
        return memory.text(memory.word(view + description.size("process_view.executable")), MAX_PATH);
    }

    /** The auxiliary vector of the program, as it stood on its stack. */
    ByteBuffer auxiliaryVector() throws IOException {
        long view = description.value("process_view");
        long size = memory.word(view + description.size("process_view.auxiliary_size"));
        if (size < 0 || size > LONGEST_AUXILIARY) {
            throw DumpException.damaged("the auxiliary vector of the program has " + size + " bytes");
        }
        long vector = memory.word(view + description.size("process_view.auxiliary_vector"));
        return size == 0 ? ByteBuffer.allocate(0) : memory.bytes(vector, (int) size);
    }

    @Override
    public void close() throws IOException {
        dump.close();
    }
}
