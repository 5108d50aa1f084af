// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Dumps of both forms, whole ones and damaged ones. */
class CoreFileTest {

    private static final int PAGE = FakeMachine.PAGE;
    private static final long ANONYMOUS = 0x10000;
    private static final long MAPPED = 0x20000;
    private static final long HIDDEN = 0x30000;
    private static final long LARGE = 0x400000;
    private static final int LARGE_SIZE = 2 << 20;
    private static final long RUNS_AT = 0x20123;
    private static final long WAITS_AT = 0x20456;
    private static final int LINK = 0x48;

    @TempDir
    private Path scratch;

    private long list;
    private long tree;
    private long treeRoot;
    private long areaAbove;
    private long entry;
    private long sleeping;

    private FakeMachine machine(boolean xen) {
        FakeMachine machine = new FakeMachine(xen);
        machine.value("kernel_base", FakeMachine.BASE);
        machine.value("user_limit", 0x7FFFFFFFF000L);
        machine.value("registers.size", 22 * 8);
        addSymbols(machine);
        addTexts(machine);
        addThreads(machine);
        addAreas(machine);
        long view = machine.allocate(24);
        long vector = machine.allocate(32);
        machine.put(vector, 6);
        machine.put(vector + 8, PAGE);
        machine.put(view, machine.text("/bin/program"));
        machine.put(view + 8, vector);
        machine.put(view + 16, 32);
        machine.value("process_view", view);
        machine.value("process_view.executable", 0);
        machine.value("process_view.auxiliary_vector", 8);
        machine.value("process_view.auxiliary_size", 16);
        return machine;
    }

    private static void addSymbols(FakeMachine machine) {
        long names = machine.text("first");
        machine.put(names + 6, "second");
        long table = machine.allocate(16);
        machine.putInt(table, 0x1000);
        machine.putInt(table + 4, 0);
        machine.putInt(table + 8, 0x2000);
        machine.putInt(table + 12, 6);
        machine.value("symbol_table", table);
        machine.value("symbol_table_end", table + 16);
        machine.value("symbol_names", names);
    }

    private static void addTexts(FakeMachine machine) {
        long platform = machine.allocate(128);
        machine.put(platform, machine.text("fake"));
        machine.put(platform + 8, FakeMachine.root());
        machine.put(platform + 16, 64L << 20);
        machine.put(platform + 24, "quiet nokaslr");
        machine.value("platform", platform);
        machine.value("platform_information.name", 0);
        machine.value("platform_information.page_tables", 8);
        machine.value("platform_information.memory_bytes", 16);
        machine.value("platform_information.command_line", 24);
        machine.value("panic_reason", machine.text("it broke"));
        machine.value("panic_reason.size", 64);
        long ring = machine.allocate(16);
        machine.put(ring, "e end\n..and than");
        long filled = machine.allocate(8);
        machine.put(filled, 16 + 6);
        machine.value("console", ring);
        machine.value("console.size", 16);
        machine.value("console.filled_to", filled);
        long events = machine.allocate(2 * 24);
        machine.put(events, machine.text("later"));
        machine.put(events + 24, machine.text("earlier"));
        machine.put(events + 32, 0xAB);
        long next = machine.allocate(4);
        machine.putInt(next, 3);
        machine.value("events", events);
        machine.value("events.count", 2);
        machine.value("events.next", next);
        machine.value("event.size", 24);
        machine.value("event.what", 0);
        machine.value("event.a", 8);
        machine.value("event.b", 16);
    }

    private void addThreads(FakeMachine machine) {
        machine.value("thread.all_link", LINK);
        machine.value("thread.stack_pointer", 0);
        machine.value("thread.stack", 8);
        machine.value("thread.fs_base", 16);
        machine.value("thread.fpu_area", 24);
        machine.value("thread.user", 32);
        machine.value("thread.state", 40);
        machine.value("thread.id", 44);
        machine.value("thread.cpu_time", 56);
        machine.value("thread.name", 96);
        machine.value("thread.name_size", 16);
        machine.value("kernel_stack.top", 0);
        list = machine.allocate(16);
        machine.value("threads", list);
        sleeping = thread(machine, 1, "sleeps", WAITS_AT);
        long running = thread(machine, 2, "runs", 0x666);
        machine.put(list, sleeping + LINK);
        machine.put(sleeping + LINK, running + LINK);
        machine.put(running + LINK, list);
        machine.putInt(sleeping + 40, 3);
        long cpu = machine.allocate(16);
        machine.put(cpu + 8, running);
        long cpus = machine.allocate(64 * 8);
        machine.put(cpus, cpu);
        long online = machine.allocate(4);
        machine.putInt(online, 1);
        machine.value("cpus", cpus);
        machine.value("cpus_online", online);
        machine.value("cpu.current", 8);
        long[] registers = new long[Registers.COUNT];
        registers[16] = RUNS_AT;
        machine.processor = new Registers(registers);
    }

    /** Its stack has a switch in second(), which first() has called, and a system call at the top. */
    private static long thread(FakeMachine machine, int id, String name, long at) {
        long thread = machine.allocate(128);
        long stack = machine.allocate(8);
        long bottom = machine.allocate(512);
        long top = bottom + 512;
        machine.put(stack, top);
        machine.put(top - 22 * 8 + 17 * 8, at);
        long frame = bottom + 128;
        machine.put(bottom + 40, frame);
        machine.put(bottom + 48, FakeMachine.BASE + 0x2004);
        machine.put(frame, 0);
        machine.put(frame + 8, FakeMachine.BASE + 0x1008);
        machine.put(thread, bottom);
        machine.put(thread + 8, stack);
        machine.put(thread + 16, 0x7000 + id);
        machine.put(thread + 32, 1);
        machine.put(thread + 56, 5_000_000);
        machine.putInt(thread + 44, id);
        machine.put(thread + 96, name);
        return thread;
    }

    private void addAreas(FakeMachine machine) {
        machine.value("area.node", 16);
        machine.value("tree.root", 0);
        machine.value("tree_node.left", 0);
        machine.value("tree_node.right", 8);
        machine.value("area.start", 48);
        machine.value("area.end", 56);
        machine.value("area.protection", 64);
        machine.value("area.object", 72);
        machine.value("area.offset", 80);
        machine.value("file.mappable", 8);
        machine.value("file.dentry", 24);
        machine.value("dentry.removed", 0);
        machine.value("dentry.name", 8);
        machine.value("dentry.parent", 16);
        machine.value("dentry.covers", 24);
        long root = machine.allocate(32);
        entry = machine.allocate(32);
        machine.put(entry + 8, machine.text("thing"));
        machine.put(entry + 16, root);
        long file = machine.allocate(32);
        machine.put(file + 24, entry);
        long below = area(machine, ANONYMOUS, 3 * PAGE, 3);
        long middle = area(machine, MAPPED, 2 * PAGE, 5);
        machine.put(middle + 72, file + 8);
        machine.put(middle + 80, PAGE);
        areaAbove = area(machine, HIDDEN, 16 * PAGE, 0);
        machine.put(middle + 16, below + 16);
        machine.put(middle + 24, areaAbove + 16);
        tree = machine.allocate(8);
        treeRoot = middle + 16;
        machine.put(tree, treeRoot);
        machine.value("areas", tree);
        machine.map(ANONYMOUS + PAGE, 0x500);
        machine.page(0x500).put(7, (byte) 0x77);
        machine.map(MAPPED + PAGE, 0x501);
        machine.page(0x501).put(9, (byte) 0x99);
        machine.mapHidden(HIDDEN, 0x502);
    }

    private static long area(FakeMachine machine, long start, long size, int protection) {
        long area = machine.allocate(96);
        machine.put(area + 48, start);
        machine.put(area + 56, start + size);
        machine.putInt(area + 64, protection);
        return area;
    }

    @BeforeEach
    void makeFile() throws IOException {
        byte[] content = new byte[3 * PAGE];
        content[PAGE] = 0x11;
        content[2 * PAGE] = 0x22;
        Files.write(scratch.resolve("thing"), content);
    }

    private GuestState open(FakeMachine machine) throws IOException {
        return GuestState.open(machine.write(scratch.resolve("memory")));
    }

    private ByteBuffer core(FakeMachine machine) throws IOException {
        Path core = scratch.resolve("core");
        try (GuestState guest = open(machine)) {
            CoreFile.write(guest, scratch, core);
        }
        return ByteBuffer.wrap(Files.readAllBytes(core)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private DumpException failure(FakeMachine machine) {
        return assertThrows(DumpException.class, () -> core(machine));
    }

    private void assertFails(String why, FakeMachine machine) {
        String message = failure(machine).getMessage();
        assertTrue(message.contains(why), message);
        assertTrue(message.matches("(?s).*\\. [A-Z][^.]*\\."), message);
    }

    /** The area begins and ends in the middle of one. */
    @Test
    void largePagesHaveTheirContents() throws Exception {
        FakeMachine machine = machine(false);
        long start = LARGE + PAGE;
        machine.put(areaAbove + 48, start);
        machine.put(areaAbove + 56, LARGE + 2 * LARGE_SIZE - PAGE);
        machine.putInt(areaAbove + 64, 3);
        machine.mapLarge(LARGE, 0x600);
        machine.mapLarge(LARGE + LARGE_SIZE, 0x800);
        machine.page(0x601).put(5, (byte) 0x51);
        machine.page(0x7FF).put(6, (byte) 0x62);
        machine.page(0x9FE).put(7, (byte) 0x73);
        ByteBuffer core = core(machine);
        int segment = Elf.HEADER_SIZE + 3 * Elf.PROGRAM_HEADER_SIZE;
        assertEquals(start, core.getLong(segment + 16));
        assertEquals(2 * LARGE_SIZE - 2 * PAGE, core.getLong(segment + 32));
        int content = Math.toIntExact(core.getLong(segment + 8));
        assertEquals(0x51, core.get(content + 5));
        assertEquals(0x62, core.get(content + LARGE_SIZE - 2 * PAGE + 6));
        assertEquals(0x73, core.get(content + 2 * LARGE_SIZE - 3 * PAGE + 7));
        try (GuestState guest = open(machine)) {
            assertEquals(0x51, guest.tables().page(start).get(5));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theProgramsMemoryIsThatOfThePageTablesAndOfFiles(boolean xen) throws Exception {
        ByteBuffer core = core(machine(xen));
        assertEquals(4, core.getShort(56));
        int anonymous = Elf.HEADER_SIZE + Elf.PROGRAM_HEADER_SIZE;
        int mapped = anonymous + Elf.PROGRAM_HEADER_SIZE;
        int hidden = mapped + Elf.PROGRAM_HEADER_SIZE;
        assertEquals(
                List.of(6, 5, 0),
                List.of(core.getInt(anonymous + 4), core.getInt(mapped + 4), core.getInt(hidden + 4)));
        assertEquals(ANONYMOUS, core.getLong(anonymous + 16));
        assertEquals(3 * PAGE, core.getLong(anonymous + 32));
        int at = (int) core.getLong(anonymous + 8);
        assertEquals(0x77, core.get(at + PAGE + 7));
        assertEquals(0, core.getLong(at));
        at = (int) core.getLong(mapped + 8);
        assertEquals(MAPPED, core.getLong(mapped + 16));
        assertEquals(0x11, core.get(at), "from the file at its offset");
        assertEquals(0, core.get(at + PAGE), "the page in memory, not the file's");
        assertEquals((byte) 0x99, core.get(at + PAGE + 9));
        assertEquals(HIDDEN, core.getLong(hidden + 16));
        assertEquals(0, core.getLong(hidden + 32));
        assertEquals(16 * PAGE, core.getLong(hidden + 40));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theNotesHaveTheRegistersOfAllThreads(boolean xen) throws Exception {
        core(machine(xen));
        try (MappedFile file = new MappedFile(scratch.resolve("core"))) {
            Elf.Segment segment = Elf.segments(file).get(0);
            List<Elf.Note> notes = Elf.notes(file, segment.offset(), segment.fileSize());
            assertEquals(
                    List.of(1, 3, 6, 0x46494C45, 1),
                    notes.stream().map(Elf.Note::type).toList());
            Registers runs = Registers.ofStatus(notes.get(0).content());
            assertEquals(2, notes.get(0).content().getInt(32), "the thread on the CPU comes first");
            assertEquals(RUNS_AT, runs.instruction());
            assertEquals(0x7002, runs.values()[21], "its thread-local storage");
            assertEquals(0x33, runs.values()[17]);
            Registers sleeps = Registers.ofStatus(notes.get(4).content());
            assertEquals(1, notes.get(4).content().getInt(32));
            assertEquals(WAITS_AT, sleeps.instruction());
            ByteBuffer auxiliary = notes.get(2).content();
            assertEquals(List.of(6L, (long) PAGE), List.of(auxiliary.getLong(0), auxiliary.getLong(8)));
            ByteBuffer files = notes.get(3).content();
            assertEquals(
                    List.of(1L, (long) PAGE, MAPPED, MAPPED + 2 * PAGE, 1L),
                    List.of(files.getLong(), files.getLong(), files.getLong(), files.getLong(), files.getLong()));
            byte[] name = new byte[7];
            files.get(name);
            assertArrayEquals("/thing\0".getBytes(), name);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theReportHasWhatTheKernelDid(boolean xen) throws Exception {
        try (GuestState guest = open(machine(xen))) {
            assertEquals("""
                    Machine
                    -------
                    fake, 64 MiB, 1 CPUs, options: quiet nokaslr

                    Panic
                    -----
                    it broke

                    CPUs
                    ----
                    CPU 0 in the program at 20123

                    Threads
                    -------
                    thread 1 "sleeps" sleeping, used 5 ms
                      program at 20456, stack at 0
                      ffffffff90002004 second+4
                      ffffffff90001008 first+8
                    thread 2 "runs" running on CPU 0, used 5 ms
                      program at 20123, stack at 0

                    Events, the last one at the end
                    -------------------------------
                    earlier ab 0
                    later 0 0

                    Console
                    -------
                    ..and thane end
                    """, KernelReport.of(guest));
        }
    }

    @Test
    void aReportOfADamagedDumpHasTheRest() throws Exception {
        FakeMachine machine = machine(false);
        machine.put(sleeping + LINK, sleeping + LINK);
        try (GuestState guest = open(machine)) {
            String report = KernelReport.of(guest);
            assertTrue(report.contains("The dump is damaged: the list of threads goes round in a circle."), report);
            assertTrue(report.contains("..and thane end"), report);
        }
    }

    @Test
    void whatGoesRoundInACircleIsRefused() {
        FakeMachine machine = machine(false);
        machine.put(sleeping + LINK, sleeping + LINK);
        assertFails("the list of threads goes round in a circle", machine);
        machine = machine(false);
        machine.put(areaAbove + 16 + 8, treeRoot);
        assertFails("overlaps other memory", machine);
        machine = machine(false);
        machine.put(treeRoot, treeRoot);
        assertFails("the tree of areas goes round in a circle", machine);
        machine = machine(false);
        machine.put(entry + 16, entry);
        assertFails("the names of a file go round in a circle", machine);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatLeadsOutsideIsRefused(boolean xen) {
        FakeMachine machine = machine(xen);
        machine.remove(0x500);
        assertFails("its page tables lead from address 11000 to frame ", machine);
        machine = machine(xen);
        machine.put(list, FakeMachine.BASE - PAGE);
        assertFails("the kernel refers to address ffffffff8fffefe0, where there is no memory", machine);
        machine = machine(xen);
        machine.put(areaAbove + 56, 0x8000_0000_0000_0000L);
        assertFails("overlaps other memory", machine);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFileThatIsCutOffIsRefused(boolean xen) throws Exception {
        byte[] whole = Files.readAllBytes(machine(xen).write(scratch.resolve("whole")));
        for (int length : new int[] {whole.length - 3 * PAGE, 4 * PAGE, 1000, 70}) {
            Path file = Files.write(scratch.resolve("cut"), java.util.Arrays.copyOf(whole, length));
            assertThrows(DumpException.class, () -> {
                try (GuestState guest = GuestState.open(file)) {
                    CoreFile.write(guest, scratch, scratch.resolve("core"));
                }
            });
        }
    }

    @Test
    void otherFilesAreRefused() throws Exception {
        Path text = Files.writeString(
                scratch.resolve("text"),
                "a text that is longer than the header of an ELF file is: " + "it must have 64 bytes at least");
        DumpException refused = assertThrows(DumpException.class, () -> GuestState.open(text));
        assertTrue(refused.getMessage().contains("is no ELF core file of x86-64"), refused.getMessage());
        Path empty = Files.createFile(scratch.resolve("empty"));
        assertThrows(DumpException.class, () -> GuestState.open(empty));
    }

    @Test
    void aKernelThatIsNotKnownIsRefused() {
        FakeMachine machine = machine(false);
        machine.described = false;
        assertFails("has no kernel that describes itself", machine);
        machine = machine(false);
        machine.version = 2;
        assertFails("describes itself in version 2; this plugin knows version 1", machine);
        machine = machine(false);
        machine.value("kernel_base", FakeMachine.BASE + PAGE);
        assertFails("the kernel is not where it says it is", machine);
    }
}
