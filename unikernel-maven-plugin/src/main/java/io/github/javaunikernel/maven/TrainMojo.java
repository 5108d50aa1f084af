// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.boot.DataDisk;
import io.github.javaunikernel.maven.run.DataDrive;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.Interrupts;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.run.Requests;
import io.github.javaunikernel.maven.run.StartedGuest;
import io.github.javaunikernel.maven.runtime.AotCache;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.ClassList;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.OptionalInt;
import org.apache.maven.plugins.annotations.Execute;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;

/**
 * Builds the image, boots it in QEMU, and records which classes a start and some requests load. The list is written to
 * {@code src/main/unikernel.classlist}; commit it, and later builds put these classes into the image in a form from
 * which the JVM starts in a fraction of the time. Run the goal again when the application has changed much; classes
 * that a list does not name, or that are gone, do no harm. With {@code cds=aot} the goal records the start for the
 * JVM's AOT cache instead, to a file beside the image, which is used only for the very runtime and jars of this build.
 *
 * @since 0.1.0
 */
@Mojo(name = "train", threadSafe = true)
@Execute(phase = LifecyclePhase.PACKAGE)
public final class TrainMojo extends AbstractStartMojo {

    /**
     * The list to write.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.classList", defaultValue = "${project.basedir}/src/main/unikernel.classlist")
    private File classList;

    /**
     * Paths on the first port, such as {@code /,/api/orders}, that the goal requests when the program is ready, so that
     * the classes of their answers are in the list, too. Each must answer with a status below 400.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.trainPaths")
    private List<String> trainPaths = List.of();

    /**
     * Maximum time until the guest must have ended, in seconds; after that it is ended by force, and there is no list.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.stop.timeout", defaultValue = "30")
    private int stopTimeout;

    @Parameter(defaultValue = "${executedProject}", readonly = true)
    private MavenProject executedProject;

    @Override
    protected void run() throws SettingException, GuestException, IOException, InterruptedException {
        ForkedBuild.publish(executedProject, project);
        if (isPassedOver("record")) {
            return;
        }
        QemuRequest request = request(false, OptionalInt.empty());
        check(request);
        if (request.image().aotRecording() != null) {
            recordForAot(request);
        } else {
            recordList(request);
        }
    }

    private void recordList(QemuRequest request)
            throws SettingException, GuestException, IOException, InterruptedException {
        Path recording = Files.createTempFile(directory(), fileName(), ".recording");
        try {
            record(request.recordingTo(recording));
            ClassList list = ClassList.recorded(Files.readAllLines(recording));
            list.write(classList.toPath());
            getLog().info("Recorded " + list.classes() + " classes in " + classList
                    + ". Commit it; the next build of the image uses it");
        } finally {
            Files.delete(recording);
        }
    }

    /** The guest's JVM writes the recording to a disk when the program ends. */
    private void recordForAot(QemuRequest request)
            throws SettingException, GuestException, IOException, InterruptedException {
        Path scratch = Files.createTempDirectory(directory(), "training-");
        try {
            DataDrive disk = DataDrive.prepare(List.of(DataDisk.TRAINING), scratch, searchPath(), getLog()::debug)
                    .get(0);
            record(request.recordingOn(disk));
            Path file = scratch.resolve(DataDisk.RECORDING);
            disk.extract(DataDisk.RECORDING, file, searchPath());
            if (!Files.isRegularFile(file)) {
                throw new ExplainedException("The JVM in the guest has recorded nothing. Look at " + consoleLog()
                        + "; more memory helps if it ran out, as in -Dunikernel.memory=512.");
            }
            Path recording =
                    AotCache.recording(directory(), fileName(), request.image().aotRecording());
            Files.move(file, recording, StandardCopyOption.REPLACE_EXISTING);
            getLog().info("Recorded a start in " + recording
                    + ". The next build of the image makes an AOT cache of it");
        } finally {
            DirectoryTree.delete(scratch);
        }
    }

    private void record(QemuRequest request)
            throws SettingException, GuestException, IOException, InterruptedException {
        try (Interrupts interrupts = new Interrupts(getLog()::info)) {
            QemuBoot boot = QemuBoot.prepare(request, StartedGuest.consoleTo(consoleLog()));
            StartedGuest guest = new StartedGuest(boot.guest());
            try {
                interrupts.passTo(boot.guest());
                boot.guest().resume();
                getLog().info("Recording a start without class data, which takes longer than others;"
                        + " the guest's console: " + consoleLog());
                exercise(boot);
                guest.stop(limit("stop.timeout", stopTimeout));
            } catch (GuestException e) {
                if (interrupts.asked()) {
                    throw new InterruptedException("Ctrl-C has ended the guest");
                }
                throw e;
            } finally {
                guest.kill();
            }
            if (interrupts.asked()) {
                throw new InterruptedException("Ctrl-C has ended the guest");
            }
        }
    }

    private void exercise(QemuBoot boot) throws SettingException, GuestException, InterruptedException {
        List<PortForward> ports = boot.ports();
        awaitReady(boot.guest(), ports);
        String paths = trainPaths.isEmpty() ? "no further path" : String.join(", ", trainPaths);
        getLog().info("Ready; asking for " + paths);
        if (!trainPaths.isEmpty()) {
            Requests.get(boot.guest(), ports.get(0).url(), trainPaths, limit());
        }
    }

    private void check(QemuRequest request) throws SettingException {
        if (request.image().executable() != null) {
            throw new SettingException(
                    "executable",
                    "The image runs " + request.image().executable()
                            + " without a JVM, so there are no classes to list.",
                    "Leave out the goal train for this image.");
        }
        if (request.image().trainingConfig() == null) {
            throw new SettingException(
                    "cds",
                    "The JVM would not take class data of this application: it runs as a"
                            + " module, its manifest names an agent, or it has an option such as -XX:+UseZGC.",
                    "Remove what rules class data out (see 'Start-up' in the manual), or do without training.");
        }
        checkSettings(request);
        ClassDataMode.checkList(classList.toPath().toAbsolutePath(), "Name a file that can be written.");
        limit("stop.timeout", stopTimeout);
        for (String path : trainPaths) {
            url("trainPaths", "http://localhost/", path, "Begin each with '/'.");
        }
        if (!trainPaths.isEmpty() && request.ports().isEmpty()) {
            throw new SettingException("trainPaths", "There is no port to ask on.", "Name one with -Dunikernel.ports.");
        }
    }
}
