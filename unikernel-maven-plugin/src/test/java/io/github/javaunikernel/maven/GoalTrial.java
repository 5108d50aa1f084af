// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.fake.FakeAws;
import io.github.javaunikernel.maven.aws.fake.FakeRegion;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.descriptor.MojoDescriptor;
import org.apache.maven.plugin.descriptor.Parameter;
import org.apache.maven.plugin.logging.SystemStreamLog;
import org.apache.maven.project.MavenProject;
import org.codehaus.plexus.component.configurator.ComponentConfigurationException;

/**
 * Runs one goal again and again, with what it needs around it: a project whose image is made, a program in place of
 * QEMU that starts no guest, the stand-in for EC2 with an image and an instance. What a run changes is noted.
 */
final class GoalTrial implements AutoCloseable {

    private static final String REGION = "eu-west-1";
    private static final List<String> KEYS = List.of("aws.accessKeyId", "aws.secretAccessKey");

    private final Path place;
    private final TrialProject files;
    private final MojoDescriptor goal;
    private final Class<?> type;
    private final FakeAws aws;
    private final Map<String, String> presets = new HashMap<>();
    /** What the project's build has packaged, or null. */
    private Path jar;

    /** What a goal with values came to. */
    record Outcome(boolean byMaven, String message, String changes) {

        boolean isLike(Outcome other) {
            return message.equals(other.message) && byMaven == other.byMaven;
        }
    }

    /** The goal serve would wait for connections. */
    private static final class Served extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static final class Quiet extends SystemStreamLog {

        @Override
        public void info(CharSequence line) {
            if (line.toString().startsWith("Waiting for connections")) {
                throw new Served();
            }
        }

        @Override
        public void warn(CharSequence line) {}
    }

    /**
     * Prepares a goal.
     *
     * @param use properties that decide what the goal does, and so which parameters it looks at
     */
    GoalTrial(Path place, String name, Map<String, String> use) throws Exception {
        this.place = place;
        files = new TrialProject(place);
        goal = ConfiguredGoal.plugin().getMojo(name);
        type = Class.forName(goal.getImplementation());
        aws = new FakeAws();
        System.setProperty(KEYS.get(0), FakeAws.ACCESS_KEY);
        System.setProperty(KEYS.get(1), FakeAws.SECRET_KEY);
        presets.put("unikernel.qemu", place.resolve("qemu").toString());
        presets.put("unikernel.accel", "tcg");
        presets.put("unikernel.oci.image", "registry.example.com/shop:1");
        presets.put("unikernel.oci.tarball", "true");
        use.forEach((property, value) -> presets.put(property, value.replace("PLACE", place.toString())));
        if (AbstractCloudMojo.class.isAssignableFrom(type)) {
            prepareCloud();
        }
        if (type == ImageMojo.class) {
            jar = files.makeSources();
            // Nothing can be downloaded here.
            presets.put("unikernel.sysroot", "/");
            // Beside the project: what is kept for later images is no part of this one.
            presets.put(
                    "unikernel.cacheDirectory", place.resolveSibling("cache").toString());
        }
    }

    Path place() {
        return place;
    }

    /** Takes the jar away, as before the phase package. */
    void leaveUnpackaged() throws IOException {
        Path classes = Files.createDirectories(files.target().resolve("classes"));
        Files.move(place.resolve("main-classes/Main.class"), classes.resolve("Main.class"));
        Files.delete(jar);
        jar = null;
    }

    Class<?> type() {
        return type;
    }

    /** The parameters that users may set, on the command line or in a POM. */
    List<Parameter> parameters() {
        return goal.getParameters().stream().filter(Parameter::isEditable).toList();
    }

    /** Whether the goal has a parameter of this name with this property, or with none. */
    boolean has(String name, String property) {
        return goal.getParameters().stream()
                .filter(parameter -> parameter.getName().equals(name))
                .anyMatch(parameter -> property == null
                        ? !String.valueOf(parameter.getExpression()).startsWith("${unikernel.")
                        : ("${" + property + "}").equals(parameter.getExpression()));
    }

    /** Runs the goal with these properties and elements of a POM in place of what is usual. */
    Outcome run(Map<String, String> properties, String pom) throws Exception {
        Map<String, String> all = new HashMap<>(presets);
        all.putAll(properties);
        Files.deleteIfExists(files.target().resolve(TrialProject.NAME + ".launch.json"));
        FakeRegion region = aws.region(REGION);
        region.images.keySet().removeIf(id -> !id.equals(presets.get("unikernel.launch.imageId")));
        String before = state();
        return outcome(all, pom, before);
    }

    private Outcome outcome(Map<String, String> properties, String pom, String before) throws Exception {
        PrintStream out = System.out;
        try {
            System.setOut(new PrintStream(OutputStream.nullOutputStream()));
            MavenProject project = ConfiguredGoal.project(place);
            project.getArtifact().setFile(jar == null ? null : jar.toFile());
            ConfiguredGoal.of(goal, project, properties, pom, new Quiet()).execute();
            return new Outcome(false, "done", changes(before));
        } catch (Served e) {
            return new Outcome(false, "served", changes(before));
        } catch (ComponentConfigurationException e) {
            return new Outcome(true, e.getMessage(), changes(before));
        } catch (MojoFailureException | MojoExecutionException e) {
            return new Outcome(false, e.getMessage(), changes(before));
        } catch (RuntimeException e) {
            return new Outcome(
                    false, "a fault of the plugin: " + e + " " + List.of(e.getStackTrace()), changes(before));
        } finally {
            System.setOut(out);
        }
    }

    private String changes(String before) throws IOException {
        TreeSet<String> changed = new TreeSet<>(List.of(state().split("\n")));
        changed.removeAll(List.of(before.split("\n")));
        return String.join(" ", changed);
    }

    /** The files of the project with their sizes and times, and how often the cloud was asked to change something. */
    private String state() throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(place)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(place.relativize(file).toString(), Files.size(file) + " " + Files.getLastModifiedTime(file));
            }
        }
        long changes = aws.calls().stream()
                .filter(call -> !call.matches(".* (Describe|Get|List|AssumeRole).*"))
                .count();
        StringBuilder text = new StringBuilder("changes of the cloud: " + changes);
        files.forEach((file, how) -> text.append('\n').append(file).append(' ').append(how));
        return text.toString();
    }

    private void prepareCloud() throws Exception {
        aws.region(REGION);
        presets.putAll(Map.of(
                "unikernel.aws.endpoint",
                aws.endpoint().toString(),
                "unikernel.ami.regions",
                REGION,
                "unikernel.ami.stateDirectory",
                place.resolve("state").toString(),
                "unikernel.launch.region",
                REGION,
                "unikernel.healthPath",
                "none",
                "unikernel.bundle.region",
                REGION,
                "unikernel.bundle.bucket",
                "images",
                "unikernel.ami.kernelId",
                "aki-12345678"));
        TrialProject.makeKey(place, "ec2Certificate", "unused");
        TrialProject.makeKey(place, "certificate", "privateKey");
        for (String name : List.of("ec2Certificate", "certificate", "privateKey")) {
            presets.put("unikernel.bundle." + name, place.resolve(name).toString());
        }
        if (AbstractInstanceMojo.class.isAssignableFrom(type)) {
            execute("ami");
            presets.put(
                    "unikernel.launch.imageId",
                    aws.region(REGION).images.keySet().iterator().next());
            execute("launch");
            presets.put(
                    "unikernel.instance",
                    aws.region(REGION).instances.keySet().iterator().next());
            // Another one would have to be waited for.
            aws.deny("RunInstances");
        }
    }

    private void execute(String other) throws Exception {
        ConfiguredGoal.of(
                        ConfiguredGoal.plugin().getMojo(other), ConfiguredGoal.project(place), presets, "", new Quiet())
                .execute();
    }

    @Override
    public void close() {
        aws.close();
        KEYS.forEach(System::clearProperty);
    }
}
