// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.dev.DevLoop;
import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.Interrupts;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import org.apache.maven.lifecycle.LifecycleExecutor;
import org.apache.maven.plugin.BuildPluginManager;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Component;
import org.apache.maven.plugins.annotations.Execute;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.plugins.annotations.ResolutionScope;

/**
 * Compiles the project, makes an image from the compiled classes and boots it. Whenever the classes or the files for
 * the image change, the goal makes the image again, restarts the guest, and prints the time from the change to the
 * first answer: status 2xx at {@code healthPath}, or the first port with {@code healthPath=none}. An IDE or another
 * {@code mvn compile} writes the classes. Ctrl-C shuts the guest down and ends the goal.
 *
 * @since 0.1.0
 */
@Mojo(name = "dev", requiresDependencyResolution = ResolutionScope.COMPILE_PLUS_RUNTIME, threadSafe = true)
@Execute(phase = LifecyclePhase.PROCESS_CLASSES)
public final class DevMojo extends AbstractStartMojo {

    /**
     * Maximum time for a guest to end before the next one starts, in seconds; after that it is ended by force.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.stop.timeout", defaultValue = "30")
    private int stopTimeout;

    /**
     * Directory whose content is copied to the root of the image, as for {@code unikernel:image}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.filesDirectory", defaultValue = "${project.basedir}/src/main/unikernel")
    private File filesDirectory;

    @Parameter(defaultValue = "${project.build.outputDirectory}", readonly = true, required = true)
    private File classes;

    @Component
    private LifecycleExecutor lifecycle;

    @Component
    private BuildPluginManager plugins;

    @Override
    protected void run() throws SettingException, GuestException, IOException, InterruptedException {
        if (isPassedOver("run")) {
            return;
        }
        applications().checkOnlyOne();
        checkSettings();
        Duration stopLimit = limit("stop.timeout", stopTimeout);
        List<Path> inputs = List.of(classes.toPath(), filesDirectory.toPath());
        try (Interrupts interrupts = new Interrupts(getLog()::info)) {
            new DevLoop(inputs, stopLimit, new Steps(imageGoal()), getLog()::info).run(interrupts);
        } catch (DevLoop.BuildException e) {
            throw new ExplainedException(e.getMessage());
        }
    }

    /** The goal image as the POM configures it: its first execution, or the plugin's own configuration without one. */
    private MojoExecution imageGoal() throws ExplainedException {
        var plugin = mojoExecution.getPlugin();
        String execution = project.getPlugin(plugin.getKey()) == null
                ? ""
                : project.getPlugin(plugin.getKey()).getExecutions().stream()
                        .filter(declared -> declared.getGoals().contains("image"))
                        .map(declared -> "@" + declared.getId())
                        .findFirst()
                        .orElse("");
        String goal = plugin.getKey() + ":" + plugin.getVersion() + ":image" + execution;
        try {
            return lifecycle
                    .calculateExecutionPlan(session, goal)
                    .getMojoExecutions()
                    .get(0);
        } catch (Exception e) {
            getLog().debug("Why the plan of " + goal + " failed:", e);
            throw new ExplainedException(
                    "Maven cannot plan " + goal + ": " + e.getMessage() + ". Run 'mvn package' to see what is wrong.");
        }
    }

    /** The steps that the loop repeats. */
    private final class Steps implements DevLoop.Steps {

        private final MojoExecution image;
        private List<PortForward> ports = List.of();

        Steps(MojoExecution image) {
            this.image = image;
        }

        @Override
        public void build() throws DevLoop.BuildException {
            try {
                plugins.executeMojo(session, image);
            } catch (MojoFailureException | MojoExecutionException e) {
                throw new DevLoop.BuildException(e.getMessage());
            } catch (Exception e) {
                getLog().debug("Why the goal image failed:", e);
                throw new DevLoop.BuildException("The goal image failed: " + e + ". Run 'mvn package' to see why.");
            }
        }

        @Override
        public Guest start() throws SettingException, IOException {
            QemuBoot boot = QemuBoot.prepare(request(true, OptionalInt.empty()), console());
            ports = boot.ports();
            for (PortForward port : ports) {
                getLog().info(port.url() + " is forwarded to port " + port.guest() + " of the guest");
            }
            announceDebugger(boot.debugPort());
            boot.guest().resume();
            return boot.guest();
        }

        @Override
        public void awaitReady(Guest guest) throws SettingException, GuestException, InterruptedException {
            DevMojo.this.awaitReady(guest, ports);
        }
    }
}
