// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;
import org.codehaus.plexus.util.xml.Xpp3Dom;

/** The base of all goals: when to skip them, and how failures become messages. */
abstract class AbstractUnikernelMojo extends AbstractMojo {

    private static final String PREFIX = "unikernel.";
    /** Parameters for which an empty value has a meaning: switches, and the absence of options. */
    private static final Set<String> MAY_BE_EMPTY =
            Set.of("unikernel.debug", "unikernel.gdb", "unikernel.kernelOptions");

    /** Parameters whose texts the program gets as they are, and options that may be on several lines. */
    private static final Set<String> MAY_BE_ANYTHING = Set.of(
            "unikernel.arguments",
            "unikernel.checkArguments",
            "unikernel.jvmArguments",
            "unikernel.environment",
            "unikernel.systemProperties",
            "unikernel.kernelOptions");

    private static final Set<String> SINGLE = Set.of("java.lang.String", "java.io.File");
    private static final Set<String> SEVERAL = Set.of("java.util.List", "java.util.Set");
    /** Characters of a text: as many as a path of Linux has at most, and more than any name. */
    private static final int LONGEST = 4096;

    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    /** The project. */
    @Parameter(defaultValue = "${project}", readonly = true, required = true)
    protected MavenProject project;

    /**
     * Skips the goal.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.skip", defaultValue = "false")
    private boolean skip;

    @Parameter(defaultValue = "${session.userProperties}", readonly = true, required = true)
    Properties userProperties;

    @Parameter(defaultValue = "${mojoExecution}", readonly = true, required = true)
    MojoExecution mojoExecution;

    @Override
    public final void execute() throws MojoExecutionException, MojoFailureException {
        if (skip) {
            getLog().info("Skipped, since unikernel.skip is set");
            return;
        }
        if (isPassedOver()) {
            getLog().debug("Nothing to do for packaging pom");
            return;
        }
        try {
            refuseMisread();
            checkNames();
            run();
        } catch (SettingException e) {
            throw failure(e.messageNaming(nameInPom(e.parameter())), e);
        } catch (GuestException e) {
            throw failure(e.getMessage(), e);
        } catch (InterruptedIOException e) {
            throw interrupted(e);
        } catch (IOException e) {
            throw failure(explained(e), e);
        } catch (UncheckedIOException e) {
            throw failure(explained(e.getCause()), e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private MojoFailureException interrupted(Exception cause) {
        Thread.currentThread().interrupt();
        return failure("Interrupted. Run again when ready.", cause);
    }

    /** A few parameters have a longer property than name, since the goals share the properties. */
    private String nameInPom(String parameter) {
        return mojoExecution.getMojoDescriptor().getParameters().stream()
                .filter(declared -> ("${" + PREFIX + parameter + "}").equals(declared.getExpression()))
                .map(declared -> declared.getName())
                .findFirst()
                .orElse(parameter);
    }

    /** Refuses names that no file can have. */
    void checkNames() throws SettingException {}

    /** Whether the project has nothing for the goal to do. */
    boolean isPassedOver() {
        return project.getPackaging().equals("pom");
    }

    /** What Maven takes without a word for something else than was meant. */
    private void refuseMisread() throws SettingException {
        for (var parameter : mojoExecution.getMojoDescriptor().getParameters()) {
            String property = String.valueOf(parameter.getExpression()).replaceFirst("^\\$\\{(.*)}$", "$1");
            String value =
                    userProperties.getProperty(property, project.getProperties().getProperty(property));
            if (property.startsWith(PREFIX)) {
                refuseEmpty(parameter, property, value);
                refuseUnclear(parameter, property, inPom(parameter).orElse(value));
                refuseUnreadable(property, texts(parameter, property, value));
            }
        }
    }

    /** Maven turns an empty property into an empty text, or into the path of the project. Lists may be empty. */
    private static void refuseEmpty(
            org.apache.maven.plugin.descriptor.Parameter parameter, String property, String value)
            throws SettingException {
        if (SINGLE.contains(parameter.getType()) && "".equals(value) && !MAY_BE_EMPTY.contains(property)) {
            throw new SettingException(
                    property.substring(PREFIX.length()),
                    "The property " + property + " is empty.",
                    "Give it a value, or leave it out.");
        }
    }

    /** Maven takes all but the word true for false. */
    private static void refuseUnclear(
            org.apache.maven.plugin.descriptor.Parameter parameter, String property, String value)
            throws SettingException {
        if (parameter.getType().equals("boolean") && value != null && !value.matches("(?i)true|false")) {
            throw new SettingException(
                    property.substring(PREFIX.length()),
                    "'" + value + "' is neither true nor false.",
                    "Use one of the two, or leave the parameter out.");
        }
    }

    /** Spaces alone, gaps in a list and control characters come from scripts in which something was missing. */
    private static void refuseUnreadable(String property, List<String> texts) throws SettingException {
        for (String text : texts) {
            Matcher control = CONTROL.matcher(text);
            if (control.find()) {
                throw new SettingException(
                        property.substring(PREFIX.length()),
                        String.format(
                                "The value has a line break or another control character (U+%04X).",
                                (int) control.group().charAt(0)),
                        "Write it in one line, without such characters.");
            }
            if (text.length() > LONGEST) {
                throw new SettingException(
                        property.substring(PREFIX.length()),
                        "The value has " + text.length() + " characters.",
                        "Give at most " + LONGEST + ".");
            }
            if (text.isBlank()) {
                throw new SettingException(
                        property.substring(PREFIX.length()),
                        texts.size() == 1 ? "The value is blank." : "One of the values is empty or blank.",
                        "Give a value, or leave it out.");
            }
        }
    }

    /** The texts that a parameter is made of; an empty one stands for nothing and is left out. */
    private List<String> texts(org.apache.maven.plugin.descriptor.Parameter parameter, String property, String value) {
        boolean several = SEVERAL.contains(parameter.getType());
        if (!several && !SINGLE.contains(parameter.getType()) || MAY_BE_ANYTHING.contains(property)) {
            return List.of();
        }
        List<Xpp3Dom> elements = configuration(parameter)
                .map(element -> List.of(element.getChildren()))
                .orElse(List.of());
        if (!elements.isEmpty()) {
            return elements.stream()
                    .map(element -> Objects.requireNonNullElse(element.getValue(), ""))
                    .toList();
        }
        String text = inPom(parameter).orElse(value);
        if (text == null || text.isEmpty()) {
            return List.of();
        }
        return several ? List.of(text.split(",", -1)) : List.of(text);
    }

    /** What the POM itself gives a parameter, unless that is a property. */
    private Optional<String> inPom(org.apache.maven.plugin.descriptor.Parameter parameter) {
        return configuration(parameter)
                .map(Xpp3Dom::getValue)
                .map(String::strip)
                .filter(value -> !value.contains("${"));
    }

    private Optional<Xpp3Dom> configuration(org.apache.maven.plugin.descriptor.Parameter parameter) {
        return Optional.ofNullable(mojoExecution.getConfiguration())
                .map(configuration -> configuration.getChild(parameter.getName()));
    }

    /** Maven appends the message of each cause to that of the failure, so the cause is only logged. */
    private MojoFailureException failure(String message, Exception cause) {
        getLog().debug("What led to the failure of the goal:", cause);
        return new MojoFailureException(message);
    }

    /** The failure in words, with the parameter that names the file or a directory above it. */
    private String explained(IOException failure) {
        FileTrouble trouble = FileTrouble.of(failure);
        return trouble.file()
                .map(file -> file.toAbsolutePath().normalize())
                .flatMap(this::parameterNaming)
                .map(parameter -> new SettingException(parameter, trouble.problem(), trouble.fix()).getMessage())
                .orElse(trouble.text());
    }

    private Optional<String> parameterNaming(Path file) {
        return fileParameters().entrySet().stream()
                .filter(entry -> entry.getValue() != null
                        && entry.getValue().getParent() != null
                        && file.startsWith(
                                entry.getValue().toPath().toAbsolutePath().normalize()))
                .max(Comparator.comparing(
                        entry -> entry.getValue().getAbsolutePath().length()))
                .map(Map.Entry::getKey);
    }

    /** The parameters that are files or directories, and what they are; messages about a file name them. */
    protected Map<String, File> fileParameters() {
        return Map.of();
    }

    /** Does the work of the goal. */
    protected abstract void run()
            throws SettingException, GuestException, IOException, MojoExecutionException, InterruptedException;
}
