// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.javaunikernel.maven.boot.BiosLoader;
import io.github.javaunikernel.maven.boot.ClassDataAddress;
import io.github.javaunikernel.maven.boot.DataDisk;
import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.InstanceEnvironment;
import io.github.javaunikernel.maven.boot.Jmx;
import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.MemoryFileSystem;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.boot.Reporting;
import io.github.javaunikernel.maven.boot.ScratchDisk;
import io.github.javaunikernel.maven.boot.Startup;
import io.github.javaunikernel.maven.boot.TimeSetting;
import io.github.javaunikernel.maven.boot.UefiLoader;
import io.github.javaunikernel.maven.image.E2fs;
import io.github.javaunikernel.maven.image.Pieces;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.runtime.LinuxSystem;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.cyclonedx.Version;
import org.cyclonedx.model.Component;
import org.cyclonedx.parsers.JsonParser;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole images, from a jar to a checked file system, with the Java that runs the tests. */
class ImageAssemblerTest {

    private static final String PROGRAM = """
            public class Hello {
                public static void main(String[] args) {
                    java.util.logging.Logger.getLogger("hello").info("hello");
                }
            }
            """;
    private static final byte[] KERNEL = kernel();
    private static final String ORIGIN = "maven:test:hello:jar:1.0";

    @TempDir
    private Path scratch;

    private final List<String> progress = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private ClassDataMode classData = ClassDataMode.JDK;
    private List<Path> trusted = List.of();
    private Path jar;
    private Path files;

    @BeforeEach
    void compile() throws IOException {
        jar = Jars.jar(scratch, "hello", null, "Hello", PROGRAM);
        files = Files.createDirectories(scratch.resolve("files"));
    }

    @Test
    void imageHoldsKernelRuntimeApplicationAndConfiguration() throws Exception {
        Files.createDirectories(files.resolve("etc"));
        Files.writeString(files.resolve("etc/hosts"), "127.0.0.1 mine\n");
        Files.createDirectories(files.resolve("data/empty"));
        Path image =
                assemble(request("first", scratch.resolve("one"), Set.of(), 0)).imageFile();
        E2fs.assertClean(image);
        assertEquals(List.of(), warnings);
        assertArrayEquals(KERNEL, E2fs.read(image, "/boot/unikernel", scratch));
        assertArrayEquals(Files.readAllBytes(jar), E2fs.read(image, "/app/hello.jar", scratch));
        assertEquals("127.0.0.1 mine\n", text(image, "/etc/hosts"));
        String root =
                "root=UUID=" + E2fs.debugfs(image, "stats -h").replaceAll("(?s).*Filesystem UUID: *(\\S+).*", "$1");
        assertEquals(
                "default 0\ntimeout 0\ntitle first\nroot (hd0)\nkernel /boot/unikernel quiet " + root + "\n",
                text(image, "/boot/grub/menu.lst"));
        String xen = Files.readString(scratch.resolve("one/first.xl.cfg"));
        assertTrue(xen.contains("extra = \"quiet " + root + "\"\n"), xen);
        assertEquals(
                "quiet " + root,
                BuiltImage.find(scratch.resolve("one"), "first").commandLine().text());
        assertBootsFromBios(image);
        Path disk = scratch.resolve("one/first.scratch.img");
        assertEquals(3 << 20, Files.size(disk));
        assertTrue(xen.contains("vdev=xvdb, access=rw, target=" + disk.toAbsolutePath() + "\""), xen);
        BuiltImage built = BuiltImage.find(scratch.resolve("one"), "first");
        assertEquals(3 << 20, built.scratchBytes());
        assertEquals(DataDisk.parse(List.of("orders /orders 2g")), built.dataDisks());
        String config = text(image, "/etc/unikernel.conf");
        assertTrue(config.startsWith("exec /jvm/bin/java\narg -Xmx"), config);
        assertTrue(
                config.contains("arg -Xss512k\narg -Dgreeting=hi there\narg -cp\narg /app/hello.jar\narg Hello\n"
                        + "arg one\narg two words\nenv HOME=/home\nenv LANG=C.UTF-8\nenv MODE=test\n"),
                config);
        assertTrue(
                config.endsWith("cwd /app\nhostname hello\nnetwork dhcp\ntime auto\napplication first\n"
                        + "log console,syslog://10.0.0.5\nmetrics 9100\nwritable /app\nwritable /home\n"
                        + "tmpfs /var/cache\nscratch /scratch\ndata orders /orders\nallow APP_*\n"
                        + "instance-metadata no\n"),
                config);
        assertTrue(E2fs.debugfs(image, "stat /etc/resolv.conf").contains("Fast link dest: \"/run/resolv.conf\""));
        assertTrue(E2fs.debugfs(image, "stat /etc/mtab").contains("Fast link dest: \"/proc/self/mounts\""));
        for (String directory : List.of(
                "/tmp",
                "/run",
                "/proc",
                "/sys",
                "/dev",
                "/var/tmp",
                "/home",
                "/var/cache",
                "/scratch",
                "/orders",
                "/data/empty")) {
            assertTrue(E2fs.debugfs(image, "stat " + directory).contains("Type: directory"), directory);
        }
        assertTrue(E2fs.debugfs(image, "ls -p /jvm/bin").contains("/java/"));
        assertFalse(E2fs.debugfs(image, "ls -p /jvm/bin").contains("keytool"));
        assertTrue(E2fs.debugfs(image, "ls -p /jvm/lib/server").contains("/classes.jsa/"));
        assertTrue(E2fs.debugfs(image, "stat /lib64/ld-linux-x86-64.so.2").contains("Type: regular"));
    }

    /** The map's first extents are those of the loader and of the kernel. */
    private void assertBootsFromBios(Path image) throws Exception {
        BiosLoader loader = BiosLoader.builtIn();
        assertEquals(512, loader.sector().length);
        assertArrayEquals(loader.program(), E2fs.read(image, "/boot/unikernel.bios", scratch));
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(image)).order(ByteOrder.LITTLE_ENDIAN);
        assertArrayEquals(loader.sector(), Arrays.copyOf(bytes.array(), 512));
        assertEquals(0xAA55, bytes.getShort(510) & 0xFFFF);
        assertArrayEquals(new byte[64], Arrays.copyOfRange(bytes.array(), 0x1BE, 0x1FE), "no partition table");
        assertEquals(
                List.of(1, loader.program().length, 1, KERNEL.length, 1),
                List.of(bytes.getInt(516), bytes.getInt(520), bytes.getInt(524), bytes.getInt(528), bytes.getInt(532)));
        assertArrayEquals(loader.program(), at(bytes, bytes.getInt(544), loader.program().length));
        assertArrayEquals(KERNEL, at(bytes, bytes.getInt(552), KERNEL.length));
    }

    private static byte[] at(ByteBuffer image, int block, int length) {
        return Arrays.copyOfRange(image.array(), block * 4096, block * 4096 + length);
    }

    /** With runtimes linked again. */
    @Test
    void twoBuildsAreIdentical() throws Exception {
        if (!JavaHome.at(Path.of(System.getProperty("java.home"))).hasReproducibleClassData()) {
            classData = ClassDataMode.OFF;
        }
        ImageRequest first = assemble(request("same", scratch.resolve("one"), Set.of(), 0));
        ImageRequest second = assemble(request("same", scratch.resolve("two"), Set.of(), 0));
        assertTrue(progress.get(0).startsWith("Linked"), progress.toString());
        assertTrue(progress.get(1).startsWith("Linked"), progress.toString());
        assertEquals(-1, Files.mismatch(first.imageFile(), second.imageFile()));
        assertEquals(-1, Files.mismatch(first.manifestFile(), second.manifestFile()));
    }

    @Test
    void anUnchangedRuntimeIsLinkedOnceAndGivesTheSameImage() throws Exception {
        ImageRequest request = assemble(request("same", scratch.resolve("one"), Set.of(), 0));
        Path first = Files.move(request.imageFile(), scratch.resolve("first.img"));
        assemble(request);
        assertTrue(progress.get(0).startsWith("Linked"), progress.toString());
        assertTrue(progress.get(1).startsWith("Reusing"), progress.toString());
        assertEquals(-1, Files.mismatch(first, request.imageFile()));
    }

    @Test
    void oneMoreClassChangesFewPiecesOfTheImage() throws Exception {
        ImageRequest request = assemble(request("same", scratch.resolve("one"), Set.of(), 0));
        Path first = Files.move(request.imageFile(), scratch.resolve("first.img"));
        jar = Jars.jar(scratch, "hello", null, "Hello", PROGRAM + "class OneMore {}");
        assemble(request("same", scratch.resolve("one"), Set.of(), 0));
        int changed = Pieces.changed(first, request.imageFile());
        assertTrue(changed > 0 && changed <= 3, changed + " of " + Pieces.stored(first) + " pieces changed");
    }

    @Test
    void theRuntimeInTheImageStillRuns() throws Exception {
        Path image =
                assemble(request("run", scratch.resolve("one"), Set.of(), 0)).imageFile();
        E2fs.debugfs(image, "rdump /jvm " + scratch);
        Process java = new ProcessBuilder(
                        scratch.resolve("jvm/bin/java").toString(), "-Xshare:on", "-cp", jar.toString(), "Hello")
                .redirectErrorStream(true)
                .start();
        String output = new String(java.getInputStream().readAllBytes());
        assertEquals(0, java.waitFor(), output);
        assertTrue(output.contains("INFO: hello"), output);
    }

    @Test
    void theLocaleOfTheEnvironmentAndTheHostsAreThere() throws Exception {
        Path image =
                assemble(request("locale", scratch.resolve("one"), Set.of(), 0)).imageFile();
        assertTrue(E2fs.debugfs(image, "stat /etc/hosts").contains("Fast link dest: \"/run/hosts\""));
        assertTrue(text(image, "/etc/unikernel.conf").contains("env LANG=C.UTF-8\n"));
        assertArrayEquals(
                Files.readAllBytes(Path.of("/usr/lib/locale/C.utf8/LC_CTYPE")),
                E2fs.read(image, "/usr/lib/locale/C.utf8/LC_CTYPE", scratch));
        assertEquals("[]", warnings.toString());
    }

    /** With fonts, a further certificate, and the JDK's configuration, of one image since linking takes long. */
    @Test
    void whatDrawsTextHasFontsAndTheRuntimeIsConfiguredAsTheJdk() throws Exception {
        jar = Jars.jar(
                scratch,
                "drawing",
                null,
                "Hello",
                "public class Hello { public static void main(String[] a) {"
                        + " var image = new java.awt.image.BufferedImage(99, 20, "
                        + "java.awt.image.BufferedImage.TYPE_INT_RGB);"
                        + " image.createGraphics().drawString(\"text\", 1, 15); } }");
        Path image = assemble(request("drawing", scratch.resolve("one"), Set.of(), 0))
                .imageFile();
        Path jdk = Path.of(System.getProperty("java.home"));
        assertArrayEquals(
                Files.readAllBytes(jdk.resolve("lib/security/cacerts")),
                E2fs.read(image, "/jvm/lib/security/cacerts", scratch));
        assertArrayEquals(
                Files.readAllBytes(jdk.resolve("conf/security/java.security")),
                E2fs.read(image, "/jvm/conf/security/java.security", scratch));
        boolean complete = Files.exists(Path.of("/etc/fonts/fonts.conf"))
                && Files.exists(Path.of("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"));
        assertEquals(complete, warnings.isEmpty(), warnings.toString());
        if (complete) {
            assertArrayEquals(
                    Files.readAllBytes(Path.of("/etc/fonts/fonts.conf")),
                    E2fs.read(image, "/etc/fonts/fonts.conf", scratch));
            assertArrayEquals(
                    Files.readAllBytes(Path.of("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")),
                    E2fs.read(image, "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", scratch));
            assertTrue(E2fs.debugfs(image, "stat /usr/lib/x86_64-linux-gnu/libfontconfig.so.1")
                            .contains("Type: regular")
                    || E2fs.debugfs(image, "stat /lib/x86_64-linux-gnu/libfontconfig.so.1")
                            .contains("Type: regular"));
        } else {
            assertTrue(
                    warnings.get(0).startsWith("The application draws text, which will fail: "), warnings.toString());
        }
    }

    @Test
    void theBillOfMaterialsIsValidAndNamesArtifactsModulesAndPackages() throws Exception {
        ImageRequest request = assemble(request("bill", scratch.resolve("one"), Set.of(), 0));
        byte[] text = Files.readAllBytes(request.billFile());
        assertEquals(List.of(), new JsonParser().validate(text, Version.VERSION_16));
        Map<String, Component> components = new JsonParser()
                .parse(text).getComponents().stream()
                        .collect(Collectors.toMap(Component::getName, component -> component));
        Component hello = components.get("hello");
        assertEquals("pkg:maven/test/hello@1.0?type=jar", hello.getPurl());
        assertEquals(
                List.of("Apache-2.0", "Ours"),
                hello.getLicenses().getLicenses().stream()
                        .map(licence -> licence.getId() == null ? licence.getName() : licence.getId())
                        .toList());
        assertEquals(sha256(jar), hello.getHashes().get(0).getValue());
        JavaHome jdk = JavaHome.at(Path.of(System.getProperty("java.home")));
        Component modules = components.get("OpenJDK");
        assertEquals(jdk.vendor(), modules.getPublisher());
        assertEquals(
                List.of("java.base", "java.logging"),
                modules.getComponents().stream().map(Component::getName).toList());
        assertEquals(jdk.runtimeVersion(), modules.getComponents().get(0).getVersion());
        Component library = components.get("libc6");
        assertTrue(library.getPurl().matches("pkg:deb/(debian|ubuntu)/libc6@\\S+\\?arch=amd64"), library.getPurl());
        assertTrue(library.getComponents().stream()
                .anyMatch(file -> file.getName().equals("/lib64/ld-linux-x86-64.so.2")));
        assertEquals("test", components.get("guest-kernel").getVersion());
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    @Test
    void theManifestNamesEverything() throws Exception {
        ImageRequest request = assemble(request("told", scratch.resolve("one"), Set.of(), 0));
        JsonObject root = com.google.gson.JsonParser.parseString(Files.readString(request.manifestFile()))
                .getAsJsonObject();
        assertEquals(1, root.get("schema").getAsInt());
        assertEquals(
                "Hello", root.getAsJsonObject("application").get("mainClass").getAsString());
        assertEquals(
                "[\"java.base\",\"java.logging\"]",
                root.getAsJsonObject("jdk").get("modulesInUse").toString());
        assertTrue(root.getAsJsonObject("jdk").getAsJsonObject("modules").has("java.logging"));
        long parts = 0;
        for (var part : root.getAsJsonObject("parts").entrySet()) {
            parts += part.getValue().getAsLong();
        }
        assertEquals(Files.size(request.imageFile()), parts);
        for (JsonElement element : root.getAsJsonArray("files")) {
            JsonObject file = element.getAsJsonObject();
            if (file.get("path").getAsString().equals("/app/hello.jar")) {
                assertEquals(ORIGIN, file.get("origin").getAsString());
                assertEquals(Files.size(jar), file.get("size").getAsLong());
                return;
            }
        }
        throw new AssertionError("/app/hello.jar is not named");
    }

    /** Made once for the same jar and options, again for another jar, and not where the JVM would ignore them. */
    @Test
    void classDataOfTheApplicationReplaceThoseOfTheJdk() throws Exception {
        classData = ClassDataMode.APP;
        Files.writeString(scratch.resolve("classlist"), "Hello\njava/lang/Object\njava/lang/String\nno/such/Class\n");
        Path image =
                assemble(request("app", scratch.resolve("one"), Set.of(), 0)).imageFile();
        assertTrue(progress.get(1).startsWith("Made class data of 4 classes in classlist, "), progress.toString());
        assertTrue(
                progress.get(1).matches(".*; a start takes [1-9]\\d+ of its \\d+ classes before main.*"),
                progress.toString());
        assertArrayEquals(Files.readAllBytes(onlyArchive()), E2fs.read(image, "/jvm/lib/server/classes.jsa", scratch));
        String training = text(image, "/etc/unikernel.training.conf");
        assertEquals(
                text(image, "/etc/unikernel.conf"),
                training.replace("arg -Xshare:off\narg -XX:DumpLoadedClassList=/dev/ttyS2\n", ""));

        progress.clear();
        assemble(request("app", scratch.resolve("one"), Set.of(), 0));
        assertTrue(progress.get(1).startsWith("Reusing class data"), progress.toString());
        assertTrue(
                training.contains("arg -XX:+UnlockDiagnosticVMOptions\narg -XX:ArchiveRelocationMode=0\n"), training);
        jar = Jars.jar(scratch, "hello", null, "Hello", PROGRAM.replace("(\"hello\")", "(\"changed\")"));
        progress.clear();
        assemble(request("app", scratch.resolve("one"), Set.of(), 0));
        assertTrue(progress.get(1).startsWith("Made class data"), progress.toString());
    }

    /** A recording belongs to its jars, so each change of them needs another one. */
    @Test
    void anAotCacheNeedsARecordingOfTheSameJars() throws Exception {
        classData = ClassDataMode.AOT;
        ImageRequest request = assemble(request("aot", scratch.resolve("one"), Set.of(), 0));
        assertTrue(warnings.get(0).startsWith("The image has no class data in place of an AOT cache"), warnings.get(0));
        assertTrue(warnings.get(0).endsWith("'mvn unikernel:train', and build the image again."), warnings.get(0));
        String training = text(request.imageFile(), "/etc/unikernel.training.conf");
        assertEquals(
                text(request.imageFile(), "/etc/unikernel.conf"),
                training.replace("arg -XX:AOTMode=record\narg -XX:AOTConfiguration=/training/recording\n", "")
                        .replace("data unikernel-train /training\n", ""));
        String recording = BuiltImage.find(scratch.resolve("one"), "aot").aotRecording();
        assemble(request);
        assertEquals(recording, BuiltImage.find(scratch.resolve("one"), "aot").aotRecording());
        jar = Jars.jar(scratch, "hello", null, "Hello", PROGRAM.replace("(\"hello\")", "(\"other\")"));
        assemble(request("aot", scratch.resolve("one"), Set.of(), 0));
        assertNotEquals(
                recording, BuiltImage.find(scratch.resolve("one"), "aot").aotRecording());
    }

    @Test
    void mistakesLeaveNothingBehind() throws Exception {
        Path directory = scratch.resolve("one");
        assertRefused(
                "additionalModules",
                "has no module java.nothing",
                request("bad", directory, Set.of("java.nothing"), 0));
        assertRefused("imageSize", "MiB, but the limit is 5", request("bad", directory, Set.of(), 5));
        Files.createDirectories(files.resolve("boot"));
        Files.writeString(files.resolve("boot/mine"), "mine");
        assertRefused("filesDirectory", "would become /boot/mine", request("bad", directory, Set.of(), 0));
        try (var left = Files.list(directory)) {
            assertEquals("[cache]", left.map(Path::getFileName).toList().toString());
        }
    }

    @Test
    void thePasswordsOfJmxAreTheProgramsAlone() throws Exception {
        ImageRequest base = request("jmx", scratch.resolve("one"), Set.of(), 0);
        Path passwords = Files.writeString(scratch.resolve("passwords"), "monitorRole secret\n");
        Jmx jmx = Jmx.of(9010, "127.0.0.1", "password", Optional.of(passwords), Optional.empty(), Optional.empty());
        Application application = new Application(
                null,
                List.of(new Application.Jar(jar, ORIGIN)),
                List.of(new Application.Jar(passwords, "file:passwords", Jmx.PASSWORD_FILE)),
                null,
                false,
                jmx.jvmArguments(),
                Map.of(),
                List.of(),
                List.of(),
                Map.of());
        ImageRequest request = assemble(with(base, application));
        Path image = request.imageFile();
        assertEquals("monitorRole secret\n", text(image, Jmx.PASSWORD_FILE));
        String node = E2fs.debugfs(image, "stat " + Jmx.PASSWORD_FILE);
        assertTrue(node.matches("(?s).*Mode: +0600 .*User: +0 .*"), node);
        String access = text(image, "/jvm/conf/management/jmxremote.access");
        assertTrue(access.contains("monitorRole"), access);
        String manifest = Files.readString(request.directory().resolve("jmx.unikernel.json"));
        assertTrue(manifest.contains("\"jmxPort\": 9010"), manifest);
        assertTrue(
                manifest.contains("\"jdk.management.agent\": \"the option -Dcom.sun.management.jmxremote.port\""),
                manifest);
    }

    @Test
    void jarsOfOneNameAreBothThere() throws Exception {
        Path other = Jars.jar(Files.createDirectories(scratch.resolve("other")), "library", null, "L", "class L { }");
        Path another =
                Jars.jar(Files.createDirectories(scratch.resolve("another")), "library", null, "M", "class M { }");
        ImageRequest base = request("names", scratch.resolve("one"), Set.of(), 0);
        Application application = new Application(
                null,
                List.of(
                        new Application.Jar(jar, "a"),
                        new Application.Jar(other, "b"),
                        new Application.Jar(another, "c")),
                List.of(),
                Map.of(),
                List.of(),
                Map.of());
        ImageRequest request = assemble(with(base, application));
        String config = text(request.imageFile(), "/etc/unikernel.conf");
        assertTrue(config.contains("arg /app/hello.jar:/app/lib/library.jar:/app/lib/2-library.jar\n"), config);
        assertArrayEquals(
                Files.readAllBytes(another), E2fs.read(request.imageFile(), "/app/lib/2-library.jar", scratch));
    }

    @Test
    void theImageForUefiHasWhatItsLoaderReads() throws Exception {
        ImageRequest base = request("uefi", scratch.resolve("one"), Set.of(), 0);
        ImageRequest request = assemble(new ImageRequest(
                base.name(),
                base.directory(),
                base.application(),
                base.machine(),
                base.runtime(),
                base.kernel(),
                Firmware.UEFI,
                base.files(),
                0,
                base.time(),
                Map.of()));
        assertTrue(BuiltImage.find(request.directory(), request.name()).uefi());
        byte[] disk = Files.readAllBytes(request.imageFile());
        Path root = scratch.resolve("root");
        Files.write(root, Arrays.copyOfRange(disk, 36 << 20, disk.length));
        String menu = text(root, "/boot/grub/menu.lst");
        String system = new String(disk, 1 << 20, 35 << 20, StandardCharsets.ISO_8859_1);
        assertTrue(system.contains(menu), "no menu.lst of " + menu);
        assertTrue(system.contains(new String(KERNEL, StandardCharsets.ISO_8859_1)), "no kernel");
        byte[] loader = UefiLoader.builtIn().program();
        assertTrue(system.contains(new String(loader, StandardCharsets.ISO_8859_1)), "no loader");
    }

    @Test
    void whatEditorsAndVersionControlLeaveBehindStaysOut() throws Exception {
        files = Files.createDirectories(scratch.resolve("left"));
        for (String left : List.of(".git/config", "etc/.DS_Store", "etc/app.conf~", "etc/app.conf")) {
            Files.createDirectories(files.resolve(left).getParent());
            Files.writeString(files.resolve(left), "text");
        }
        ImageRequest request = assemble(request("left", scratch.resolve("one"), Set.of(), 0));
        String manifest = Files.readString(request.manifestFile());
        for (String left : List.of("/.git", "/etc/.DS_Store", "/etc/app.conf~")) {
            assertFalse(manifest.contains('"' + left), left);
        }
        assertEquals("text", text(request.imageFile(), "/etc/app.conf"));
    }

    @Test
    void aMachineWithLittleMemoryIsToldWhatSavesIt() throws Exception {
        ImageRequest request = assemble(withMemory(request("little", scratch.resolve("one"), Set.of(), 0), 24));
        String config = text(request.imageFile(), "/etc/unikernel.conf");
        assertTrue(config.contains("arg -Xmx8m\narg -Xmn1m\n") && config.contains("env MALLOC_ARENA_MAX=1\n"), config);
        assertEquals(
                List.of("24 MiB are enough only if all classes come from class data whose pages can be dropped and read"
                        + " again. Run unikernel:train once, and set cdsAddress to fixed."),
                warnings);
        warnings.clear();
        ImageRequest enough = assemble(withMemory(request("enough", scratch.resolve("two"), Set.of(), 0), 32));
        assertFalse(text(enough.imageFile(), "/etc/unikernel.conf").contains("MALLOC_ARENA_MAX"));
        assertEquals(List.of(), warnings);
    }

    private Path onlyArchive() throws IOException {
        try (var files = Files.walk(scratch.resolve("one/cache"))) {
            List<Path> archives =
                    files.filter(file -> file.toString().endsWith(".jsa")).toList();
            assertEquals(1, archives.size(), archives.toString());
            return archives.get(0);
        }
    }

    private void assertRefused(String parameter, String words, ImageRequest request) {
        SettingException refused = assertThrows(SettingException.class, () -> assemble(request));
        assertEquals(parameter, refused.parameter());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
    }

    /** The same image of another application. */
    private static ImageRequest with(ImageRequest base, Application application) {
        return new ImageRequest(
                base.name(),
                base.directory(),
                application,
                base.machine(),
                base.runtime(),
                base.kernel(),
                base.firmware(),
                base.files(),
                0,
                base.time(),
                Map.of());
    }

    /** The same image for a machine with this memory, in MiB. */
    private static ImageRequest withMemory(ImageRequest base, int memory) {
        Machine of = base.machine();
        return new ImageRequest(
                base.name(),
                base.directory(),
                base.application(),
                new Machine(
                        memory,
                        of.vcpus(),
                        of.startup(),
                        of.hostName(),
                        of.network(),
                        of.time(),
                        of.reporting(),
                        of.memoryFileSystems(),
                        of.scratch(),
                        of.dataDisks(),
                        of.dataDirectory(),
                        of.commandLine(),
                        of.instanceEnvironment(),
                        of.instanceMetadata(),
                        of.xlChannel()),
                base.runtime(),
                base.kernel(),
                base.firmware(),
                base.files(),
                0,
                base.time(),
                Map.of());
    }

    private ImageRequest assemble(ImageRequest request) throws Exception {
        new ImageAssembler(progress::add, warnings::add).assemble(request);
        return request;
    }

    private ImageRequest request(String name, Path directory, Set<String> additionalModules, int maxSize)
            throws Exception {
        Application application = new Application(
                null,
                List.of(new Application.Jar(jar, ORIGIN)),
                List.of("-Xss512k"),
                Map.of("greeting", "hi there"),
                List.of("one", "two words"),
                Map.of("MODE", "test"));
        Machine machine = new Machine(
                128,
                1,
                Startup.BALANCED,
                "hello",
                NetworkSetting.parse("dhcp"),
                TimeSetting.parse("auto"),
                Reporting.parse("console,syslog://10.0.0.5", 9100, NetworkSetting.parse("dhcp")),
                List.of(MemoryFileSystem.parse("/var/cache")),
                Optional.of(ScratchDisk.parse("/scratch 3m")),
                DataDisk.parse(List.of("orders /orders 2g")),
                Path.of("/data"),
                KernelCommandLine.parse("quiet"),
                InstanceEnvironment.parse(List.of("APP_*"), List.of(), List.of()),
                false,
                Optional.empty());
        RuntimeChoice runtime = new RuntimeChoice(
                JavaHome.at(Path.of(System.getProperty("java.home"))),
                Set.of(),
                additionalModules,
                Set.of(),
                true,
                true,
                true,
                classData,
                ClassDataAddress.FIXED,
                scratch.resolve("classlist"),
                List.of(new LinuxSystem("/", () -> Path.of("/"))),
                trusted,
                directory.resolve("cache"),
                0);
        Files.createDirectories(directory.resolve("cache"));
        return new ImageRequest(
                name,
                directory,
                application,
                machine,
                runtime,
                new Kernel(KERNEL, "test", "test"),
                Firmware.BIOS,
                files,
                maxSize,
                Instant.parse("2026-01-01T00:00:00Z"),
                Map.of(ORIGIN, List.of(new Licence("Apache License, Version 2.0", null), new Licence("Ours", null))));
    }

    private String text(Path image, String path) throws Exception {
        return new String(E2fs.read(image, path, scratch));
    }

    private static byte[] kernel() {
        byte[] elf = new byte[9000];
        elf[8999] = 1;
        return elf;
    }
}
