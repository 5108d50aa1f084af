package io.github.javaunikernel.maven;

import org.apache.maven.plugins.annotations.Execute;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;

/**
 * Makes the image, boots it on this machine and stays in the foreground: its console on the terminal, its ports on
 * localhost. Ctrl-C shuts the guest down in good order, a second one ends it by force. The build fails when the program
 * in the guest ends with another status than 0.
 *
 * @since 0.1.0
 */
@Mojo(name = "run", threadSafe = true)
@Execute(phase = LifecyclePhase.PACKAGE)
public final class RunMojo extends RunNoForkMojo {
}
