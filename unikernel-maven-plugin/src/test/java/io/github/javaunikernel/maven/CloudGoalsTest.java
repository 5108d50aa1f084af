// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import io.github.javaunikernel.maven.aws.fake.FakeRegion;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.maven.execution.DefaultMavenExecutionRequest;
import org.apache.maven.execution.DefaultMavenExecutionResult;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.descriptor.DuplicateParameterException;
import org.apache.maven.plugin.descriptor.MojoDescriptor;
import org.apache.maven.plugin.descriptor.Parameter;
import org.apache.maven.plugin.logging.SystemStreamLog;
import org.apache.maven.project.MavenProject;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The goals on EC2 as Maven runs them, against the stand-in: which image they take, and what they pass on. */
class CloudGoalsTest {
    private static final String REGION = "eu-west-1";
    private static final List<String> KEYS = List.of("aws.accessKeyId", "aws.secretAccessKey");

    @TempDir
    Path target;

    private FakeAws fake;
    private FakeRegion region;
    private final MavenProject project = new MavenProject();
    private final List<String> printed = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        fake = new FakeAws();
        region = fake.region(REGION);
        System.setProperty(KEYS.get(0), FakeAws.ACCESS_KEY);
        System.setProperty(KEYS.get(1), FakeAws.SECRET_KEY);
        project.setGroupId("org.example");
        project.setArtifactId("shop");
        project.setVersion("1.0");
        project.setPackaging("jar");
    }

    @AfterEach
    void stop() {
        fake.close();
        KEYS.forEach(System::clearProperty);
    }

    /** What {@code unikernel:image} leaves behind under a name. */
    private void make(String name, int content, int memory) throws IOException {
        byte[] image = new byte[2048];
        Arrays.fill(image, (byte) content);
        Files.write(target.resolve(name + ".img"), image);
        Files.writeString(target.resolve(name + ".kernel"), "");
        Files.writeString(target.resolve(name + ".xl.cfg"), "");
        Files.writeString(target.resolve(name + ".unikernel.json"), """
                {"image": {"uuid": "01234567-89ab-8def-8123-456789abcdef"}, "kernel": {"options": ""}, "machine": \
                {"memory": %d, "vcpus": 1, "network": "dhcp"}, "application": {"debugPort": 0}}
                """.formatted(memory));
    }

    /** Of a goal whose parameters are set by their fields. */
    private static MojoExecution execution() throws DuplicateParameterException {
        MojoDescriptor descriptor = new MojoDescriptor();
        Parameter parameter = new Parameter();
        parameter.setName("project");
        parameter.setType("org.apache.maven.project.MavenProject");
        descriptor.addParameter(parameter);
        return new MojoExecution(descriptor);
    }

    private <T extends AbstractCloudMojo> T goal(T goal, Map<String, Object> settings)
            throws ReflectiveOperationException, DuplicateParameterException {
        Map<String, Object> all = new HashMap<>(Map.of(
                "project",
                project,
                "buildDirectory",
                target.toFile(),
                "imageName",
                "shop-1.0",
                "userProperties",
                new Properties(),
                "mojoExecution",
                execution(),
                "endpoint",
                fake.endpoint().toString(),
                "attemptTimeout",
                20,
                "session",
                new MavenSession(null, null, new DefaultMavenExecutionRequest(), new DefaultMavenExecutionResult())));
        all.putAll(settings);
        for (Map.Entry<String, Object> setting : all.entrySet()) {
            Field field = ConfiguredGoal.field(goal.getClass(), setting.getKey());
            field.setAccessible(true);
            field.set(goal, setting.getValue());
        }
        goal.setLog(new SystemStreamLog() {
            @Override
            public void info(CharSequence line) {
                printed.add(line.toString());
            }
        });
        return goal;
    }

    private AmiMojo ami(Map<String, Object> settings) throws ReflectiveOperationException, DuplicateParameterException {
        Map<String, Object> all = new HashMap<>(Map.of(
                "virtualization",
                List.of("paravirtual"),
                "regions",
                List.of(REGION),
                "name",
                "{artifactId}-{version}{classifier}{virtualization}",
                "duplicateName",
                "FAIL",
                "description",
                "Shop",
                "workers",
                2,
                "timeout",
                60,
                "incremental",
                true,
                "stateDirectory",
                target.resolve("state").toFile()));
        all.putAll(settings);
        return goal(new AmiMojo(), all);
    }

    private LaunchMojo launch(Map<String, Object> settings)
            throws ReflectiveOperationException, DuplicateParameterException {
        Map<String, Object> all = new HashMap<>(
                Map.of("count", 1, "ports", List.of(8080), "cidr", "0.0.0.0/0", "healthPath", "none", "timeout", 60));
        all.putAll(settings);
        return goal(new LaunchMojo(), all);
    }

    private JsonArray report(String name) throws IOException {
        return JsonParser.parseString(Files.readString(target.resolve(name + ".ami.json")))
                .getAsJsonArray();
    }

    @Test
    void eachExecutionDeploysTheImageThatItMade() throws Exception {
        make("shop-1.0", 1, 128);
        make("shop-1.0-staging", 2, 1024);
        make("shop-1.0-production", 3, 4096);
        ami(Map.of("classifier", "staging")).execute();
        ami(Map.of("classifier", "production")).execute();

        assertEquals(
                Set.of("shop-1.0-staging", "shop-1.0-production"),
                region.images.values().stream()
                        .map(image -> image.fields.get("Name"))
                        .collect(Collectors.toSet()));
        JsonObject staging = report("shop-1.0-staging").get(0).getAsJsonObject();
        JsonObject production = report("shop-1.0-production").get(0).getAsJsonObject();
        assertEquals(
                "org.example:shop:staging",
                region.images.get(staging.get("imageId").getAsString()).tags.get("unikernel:project"));
        assertEquals(
                "org.example:shop:production",
                region.images.get(production.get("imageId").getAsString()).tags.get("unikernel:project"));
        assertFalse(production.has("parentSnapshotId"), "the other image is no predecessor");
        assertEquals(4096, production.get("memory").getAsInt());
        Path volume = target.resolve("volume");
        fake.reassemble(staging.get("snapshotId").getAsString(), volume);
        try (var in = Files.newInputStream(volume)) {
            assertEquals(2, in.read());
        }
        assertTrue(Files.isDirectory(target.resolve("state/org.example_shop_staging/" + REGION)));
        assertFalse(Files.exists(target.resolve("shop-1.0.ami.json")));
        assertEquals(
                production.get("imageId").getAsString(),
                project.getProperties().getProperty("unikernel.ami.id." + REGION + ".paravirtual"));
    }

    @Test
    void launchListAndTerminateConcernTheSameImage() throws Exception {
        make("shop-1.0-staging", 2, 1024);
        make("shop-1.0-production", 3, 4096);
        ami(Map.of("classifier", "staging")).execute();
        ami(Map.of("classifier", "production")).execute();
        launch(Map.of("classifier", "production", "tags", Map.of("team", "blue")))
                .execute();

        FakeRegion.FakeInstance instance = region.instances.values().iterator().next();
        assertEquals(
                report("shop-1.0-production")
                        .get(0)
                        .getAsJsonObject()
                        .get("imageId")
                        .getAsString(),
                instance.fields.get("ImageId"));
        assertEquals("c3.xlarge", instance.fields.get("InstanceType"), "the cheapest here with 4096 MiB");
        assertEquals("blue", instance.tags.get("team"));
        assertTrue(printed.contains(instance.id + " is up at http://127.0.0.1:8080/"), printed::toString);

        printed.clear();
        goal(new ListMojo(), Map.of("regions", List.of(REGION), "classifier", "staging"))
                .execute();
        assertTrue(printed.contains(REGION + ": no instances of org.example:shop:staging"), printed::toString);
        goal(new ListMojo(), Map.of("regions", List.of(REGION), "classifier", "production"))
                .execute();
        assertTrue(
                printed.stream().anyMatch(line -> line.startsWith(instance.id) && line.endsWith("0.2100")),
                printed::toString);

        assertEquals(
                "Instances were launched from here before, see "
                        + target.resolve("shop-1.0-production.launch.json")
                        + ". End them with unikernel:terminate first.",
                assertThrows(MojoExecutionException.class, launch(Map.of("classifier", "production"))::execute)
                        .getMessage());
        goal(new TerminateMojo(), Map.of("timeout", 60, "classifier", "production"))
                .execute();
        assertEquals("terminated", instance.state);
        assertFalse(Files.exists(target.resolve("shop-1.0-production.launch.json")));
    }

    @Test
    void anImageThatWasNotMadeIsNotReplacedByAnother() throws Exception {
        make("shop-1.0", 1, 128);
        MojoFailureException failure =
                assertThrows(MojoFailureException.class, ami(Map.of("classifier", "staging"))::execute);
        assertTrue(
                failure.getMessage().startsWith("There is no " + target.resolve("shop-1.0-staging.img") + "."),
                failure.getMessage());
        assertTrue(region.images.isEmpty());
    }

    @Test
    void aGivenImageIsTakenAsItIs() throws Exception {
        File other = Files.write(target.resolve("other.img"), new byte[] {7}).toFile();
        ami(Map.of("image", other)).execute();
        assertEquals(0, report("other").get(0).getAsJsonObject().get("memory").getAsInt());
    }

    /** Its parts may lie where those of the new one would go. */
    @Test
    void bundleRefusesATakenNameBeforeItWritesAnything() throws Exception {
        make("shop-1.0", 1, 128);
        ami(Map.of("name", "taken")).execute();
        String holder = region.images.keySet().iterator().next();
        TrialProject.makeKey(target, "ec2", "unused");
        TrialProject.makeKey(target, "mine", "key");
        List<String> before = files();
        long calls = fake.calls().stream()
                .filter(call -> !call.contains(" Describe"))
                .count();

        BundleMojo bundle = goal(
                new BundleMojo(),
                Map.of(
                        "name",
                        "taken",
                        "bucket",
                        "images",
                        "folder",
                        "shop",
                        "region",
                        REGION,
                        "timeout",
                        60,
                        "ec2Certificate",
                        target.resolve("ec2").toFile(),
                        "certificate",
                        target.resolve("mine").toFile(),
                        "privateKey",
                        target.resolve("key").toFile()));
        assertEquals(
                "Region " + REGION + " already has an image \"taken\", " + holder + ". [parameter name,"
                        + " -Dunikernel.bundle.name] Choose another name and folder, or deregister that image first.",
                assertThrows(MojoExecutionException.class, bundle::execute).getMessage());

        assertEquals(before, files());
        List<String> after = fake.calls().stream()
                .filter(call -> !call.contains(" Describe"))
                .skip(calls)
                .toList();
        assertTrue(after.stream().allMatch(call -> call.endsWith("GetCallerIdentity")), after::toString);
        assertEquals(Set.of(holder), region.images.keySet());
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.walk(target)) {
            return files.map(Path::toString).sorted().toList();
        }
    }

    @Test
    void bothKindsHaveNamesAndPropertiesOfTheirOwn() throws Exception {
        make("shop-1.0", 1, 128);
        try (var file = new RandomAccessFile(target.resolve("shop-1.0.img").toFile(), "rw")) {
            file.seek(510);
            file.write(new byte[] {0x55, (byte) 0xAA});
        }
        ami(Map.of("virtualization", List.of("paravirtual", "hvm"))).execute();

        JsonArray report = report("shop-1.0");
        assertEquals(
                List.of("shop-1.0-paravirtual", "shop-1.0-hvm"),
                List.of(
                        report.get(0).getAsJsonObject().get("name").getAsString(),
                        report.get(1).getAsJsonObject().get("name").getAsString()));
        String hvm = report.get(1).getAsJsonObject().get("imageId").getAsString();
        assertEquals(hvm, project.getProperties().getProperty("unikernel.ami.id." + REGION + ".hvm"));
        assertEquals(
                report.get(0).getAsJsonObject().get("imageId").getAsString(),
                project.getProperties().getProperty("unikernel.ami.id"));

        assertEquals(
                "Both kinds of AMI would have the name \"shop\". [parameter name, -Dunikernel.ami.name] Add"
                        + " {virtualization} to the name.",
                assertThrows(
                                MojoExecutionException.class,
                                ami(Map.of("virtualization", List.of("paravirtual", "hvm"), "name", "shop"))::execute)
                        .getMessage());
    }

    /** Maven would append the texts of causes to the message. */
    @Test
    void aFailureCarriesNoCause() throws Exception {
        make("shop-1.0", 1, 128);
        fake.deny("RegisterImage");
        MojoExecutionException failure = assertThrows(MojoExecutionException.class, ami(Map.of())::execute);
        assertEquals(null, failure.getCause());
        assertEquals(
                REGION + ": Could not register the image shop-1.0: UnauthorizedOperation, not allowed to"
                        + " RegisterImage."
                        + " Check that the credentials are current and that their policy allows the call;"
                        + " the manual's EC2 chapter has the whole policy.",
                failure.getMessage());
    }

    @Test
    void aReportThatIsNoneIsAnError() throws Exception {
        Path file = Files.writeString(target.resolve("shop-1.0.ami.json"), "{");
        assertEquals(
                "The report of the last deploy " + file
                        + " is damaged or cannot be read. Delete it and run unikernel:ami again.",
                assertThrows(MojoExecutionException.class, launch(Map.of())::execute)
                        .getMessage());
    }
}
