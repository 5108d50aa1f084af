// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.core.CoreDump;
import io.github.javaunikernel.maven.core.SymbolFiles;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.run.ChannelSocket;
import io.github.javaunikernel.maven.run.Dump;
import io.github.javaunikernel.maven.run.GuestMemoryFile;
import io.github.javaunikernel.maven.run.HostChannel;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Writes what the JVM in a running guest says of itself to a file in the build directory: its threads, its heap, or a
 * recording of the JDK Flight Recorder; or what the kernel has counted of its locks; or makes a core file of the memory
 * of a guest, which may have crashed. The guest serves on, and needs no port for that.
 *
 * @since 0.1.0
 */
@Mojo(name = "dump", threadSafe = true)
public final class DumpMojo extends AbstractChannelMojo {

    private static final String CORE = "core";

    /**
     * What to write: {@code threads} (NAME.threads.txt), {@code histogram} (NAME.histogram.txt, the objects of each
     * class), {@code heap} (NAME.hprof), {@code jfr} (NAME.jfr; the image needs the module {@code jdk.jfr}),
     * {@code connections} (NAME.connections.txt, each TCP connection with the bytes that wait to be sent or read),
     * {@code locks} (NAME.locks.txt, how long the kernel has waited for its locks since {@code unikernel:trace} with
     * {@code unikernel.lockstat}, as a table like Linux's {@code /proc/lock_stat}) or {@code core} (NAME.core for gdb
     * and jhsdb, NAME.core.txt about the kernel, and NAME.core.files with the programs and libraries of the image).
     * Heap and recording lie in {@code guestDirectory} until they have been copied. For {@code core} nothing is asked
     * of the guest: it stands still while its memory is written.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump", defaultValue = "threads")
    private String dump;

    /**
     * How long {@code jfr} records, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump.duration", defaultValue = "60")
    private int duration;

    /**
     * Directory of the guest with room for a heap dump or a recording. {@code /tmp} is in the guest's memory; a
     * directory on a scratch disk is not.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump.guestDirectory", defaultValue = "/tmp")
    private String guestDirectory;

    /**
     * File with the memory of the machine, of which {@code core} is made: what QEMU's {@code dump-guest-memory} or
     * {@code xl dump-core} wrote, such as {@code guest.dump}. The default is to have QEMU write it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.coreFile")
    private File coreFile;

    /**
     * Socket of QEMU's monitor (QMP), such as {@code /run/vm/qmp}, which writes the memory for {@code core}. The
     * default is that of the guest that {@code unikernel:run} or {@code unikernel:start} started from the image.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump.monitor")
    private File monitor;

    /**
     * Directory of the JDK that the image was made of, whose programs and libraries have the symbols that debuggers
     * need for {@code core}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump.jdkHome", defaultValue = "${java.home}")
    private File dumpJdkHome;

    /**
     * Root of the system whose libraries the image has, likewise.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dump.sysroot", defaultValue = "/")
    private File dumpSysroot;

    private Dump chosen;

    @Override
    protected void run() throws SettingException, IOException, InterruptedException {
        if (!dump.equals(CORE)) {
            super.run();
            return;
        }
        Path image = BuiltImage.find(directory(), fileName()).image();
        if (coreFile != null) {
            makeCore(coreFile.toPath(), image);
            return;
        }
        Path memory = directory().resolve(fileName() + ".memory");
        try {
            GuestMemoryFile.write(monitor == null ? ChannelSocket.monitorOf(socket()) : monitor.toPath(), memory);
            makeCore(memory, image);
        } finally {
            Files.deleteIfExists(memory);
        }
    }

    private void makeCore(Path memory, Path image) throws IOException {
        CoreDump files = CoreDump.of(directory(), fileName());
        CoreDump.Result made = files.write(memory, image, new SymbolFiles(dumpJdkHome.toPath(), dumpSysroot.toPath()));
        Path program = made.program();
        if (!made.withoutSymbols().isEmpty()) {
            getLog().warn("These have no symbols: " + String.join(", ", made.withoutSymbols())
                    + ". jhsdb cannot read the core file, and gdb shows no names. Name the JDK of which the image was"
                    + " made with -Dunikernel.dump.jdkHome, and the root of the system with -Dunikernel.dump.sysroot.");
        }
        getLog().info("Wrote " + files.report());
        getLog().info("Wrote " + files.core() + ". Look at it with the JDK that the image was made of, or with gdb:");
        getLog().info("  SA_ALTROOT=" + files.files() + " jhsdb jstack --exe " + program + " --core " + files.core());
        getLog().info("  gdb -iex 'set sysroot " + files.files() + "' " + program + " " + files.core());
    }

    @Override
    protected Map<String, File> fileParameters() {
        return coreFile == null
                ? Map.of("dumpJdkHome", dumpJdkHome, "dumpSysroot", dumpSysroot)
                : Map.of("coreFile", coreFile, "dumpJdkHome", dumpJdkHome, "dumpSysroot", dumpSysroot);
    }

    @Override
    void check() throws SettingException {
        chosen = Dump.parse(dump);
        AbstractStartMojo.limit("dump.duration", duration);
    }

    @Override
    void ask(HostChannel guest, Duration limit) throws IOException, InterruptedException {
        Path file = directory().resolve(fileName() + chosen.suffix());
        chosen.take(guest, new Dump.Request(file, guestDirectory, limit, Duration.ofSeconds(duration)));
        getLog().info("Wrote " + file);
    }
}
