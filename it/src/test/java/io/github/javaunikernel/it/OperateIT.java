// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.invoked.HeapDump;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A heap dump, a recording and a core file of a guest that serves 200 requests a second (fewer where the machine is too
 * slow), fetched with the plugin's goals as an operator does, and read by the JDK's own tools: there are as many
 * objects of a class as the program says itself. The program is that of the plugin's invoker project {@code dump}. A
 * long form:
 *
 * <pre>./mvnw verify -pl it -Dgroups=operate -Dlab.excluded=none -Dit.test=OperateIT \
 *     [-Dlab.platforms=QEMU,XEN_PV,XEN_PVH] [-Dlab.jdks=17,25] [-Dlab.vcpus=2] [-Doperate.options=-XX:+UseZGC]</pre>
 */
// Maven, a guest and its dumps, each of which is waited for as long as it makes progress.
@Timeout(value = 6, unit = TimeUnit.HOURS)
@Tag("operate")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OperateIT {

    private static final Path SOURCE = Path.of("src", "operate");
    private static final Path PROGRAM = Path.of("..", "unikernel-maven-plugin", "src", "it", "dump", "src");
    private static final String MARKED = "it.Main$Marked";
    /** Of what the program has of them, which it also answers each request with. */
    private static final int COUNT = 12345;
    /** MiB that the Xen host has for the file with the guest's memory: half of it is for files. */
    private static final int ROOM = 512;

    private static final int TERMINATED = 143;

    static Stream<Arguments> guests() {
        List<String> jdks = ListProperty.of("lab.jdks");
        List<Arguments> guests = new ArrayList<>();
        for (String jdk :
                jdks.isEmpty() ? List.of(Integer.toString(Runtime.version().feature())) : jdks) {
            for (String platform : ListProperty.of("lab.platforms")) {
                guests.add(Arguments.of(Jdk.of(Integer.parseInt(jdk)), Platform.valueOf(platform)));
            }
        }
        assertFalse(guests.isEmpty(), "there is no platform");
        return guests.stream();
    }

    @ParameterizedTest(name = "JDK {0}, {1}")
    @MethodSource("guests")
    void isUnderstoodWhileItServes(Jdk jdk, Platform platform) throws IOException, InterruptedException {
        Operated operated = new Operated(build(jdk), jdk);
        // A socket's path is short (sun_path, unix(7)).
        Path directory = Files.createTempDirectory("operate");
        Path channel = directory.resolve("channel");
        Path memory = operated.file("memory");
        try (Lab lab = Lab.start(
                "operate-jdk" + jdk + "-" + platform, platform, options(platform, operated, channel, memory))) {
            FrameworkClient client = new FrameworkClient("http", lab.port(), "");
            client.awaitAnswer(lab::checkRuns);
            try (PacedLoad load = PacedLoad.start(lab.port(), Integer.toString(COUNT))) {
                load.awaitProgress(lab::checkRuns);
                askTheJvm(operated, channel);
                load.awaitProgress(lab::checkRuns);
                load.whileItStandsStill(() -> writeMemory(lab));
                load.awaitProgress(lab::checkRuns);
                takeCore(operated, memory);
                load.awaitProgress(lab::checkRuns);
                System.out.println("operate: " + platform + ", JDK " + jdk + ": " + load.summary());
            }
            lab.command("shutdown");
            assertEquals(TERMINATED, lab.exitStatus(GuestSuite.END), lab::lastLines);
        } finally {
            Files.deleteIfExists(channel);
            Files.delete(directory);
            Files.deleteIfExists(memory);
        }
    }

    private static Path build(Jdk jdk) throws IOException {
        Path project = Lab.images().resolve("operate").resolve("jdk" + jdk);
        FrameworkProject.copy(SOURCE, project);
        FrameworkProject.copy(PROGRAM, project.resolve("src"));
        Maven.run(
                project,
                Map.of("JAVA_HOME", jdk.home().toString()),
                "package",
                Operated.version(),
                "-Dunikernel.jvmArguments=" + System.getProperty("operate.options", ""));
        return project;
    }

    private static List<String> options(Platform platform, Operated operated, Path channel, Path memory)
            throws IOException {
        List<String> options = new ArrayList<>(platform.options(operated.image()));
        options.addAll(List.of("--channel", channel.toString(), "--core", memory.toString()));
        options.addAll(List.of("--timeout-idle", Long.toString(GuestSuite.BOOT.toSeconds())));
        if (platform.program().equals("xen")) {
            options.addAll(List.of("--save-room", Integer.toString(ROOM)));
        }
        return options;
    }

    private static void askTheJvm(Operated operated, Path channel) throws IOException, InterruptedException {
        operated.dump("threads", "-Dunikernel.channel=" + channel);
        assertTrue(Files.readString(operated.file("threads.txt")).contains("Found 1 deadlock."));
        operated.dump("histogram", "-Dunikernel.channel=" + channel);
        assertEquals(COUNT, operated.counted(Files.readString(operated.file("histogram.txt"))));
        operated.dump("heap", "-Dunikernel.channel=" + channel);
        assertEquals(COUNT, HeapDump.instances(operated.file("hprof"), MARKED));
        operated.dump("jfr", "-Dunikernel.channel=" + channel, "-Dunikernel.dump.duration=5");
        assertTrue(
                operated.tool("jfr", "summary", operated.file("jfr").toString()).contains("jdk.ActiveRecording"));
    }

    private static void writeMemory(Lab lab) throws IOException, InterruptedException {
        int position = lab.position();
        lab.command("dump-core");
        lab.await(position, "lab: done: dump-core", GuestSuite.BOOT);
    }

    private static void takeCore(Operated operated, Path memory) throws IOException, InterruptedException {
        operated.dump("core", "-Dunikernel.coreFile=" + memory);
        assertEquals(COUNT, operated.counted(operated.jhsdb("jmap", "--histo")));
        String stacks = operated.jhsdb("jstack");
        assertTrue(stacks.contains("\"holds-first\"") && stacks.contains("\"HTTP-Dispatcher\""), stacks);
        String report = Files.readString(operated.file("core.txt"));
        assertTrue(report.contains("\nPanic\n-----\nnone\n"), report);
        int cpus = Integer.parseInt(System.getProperty("lab.vcpus", "1"));
        for (int cpu = 0; cpu < cpus; cpu++) {
            assertTrue(report.contains("\nCPU " + cpu + " in "), report);
        }
        assertTrue(
                Pattern.compile("thread 1 \"java\" .*\n.*\n  \\p{XDigit}{16} schedule\\+")
                        .matcher(report)
                        .find(),
                report);
    }
}
