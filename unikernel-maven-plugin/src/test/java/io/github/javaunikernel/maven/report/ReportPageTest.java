// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import io.github.javaunikernel.maven.html.Browser;
import io.github.javaunikernel.maven.image.Ext2Writer;
import io.github.javaunikernel.maven.image.FileContent;
import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.settings.ExplainedException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportPageTest {

    private static final String HOSTILE = "<img src=x onerror=\"document.title='taken'\">'&\"`</style><script>";
    private static final String CONFIG = """
            exec /jvm/bin/java
            arg <script>
            network dhcp
            metrics 9100
            writable /app
            tmpfs /var/spool/<i>x 1048576
            scratch /data
            allow DB_*
            sources host
            instance-metadata no
            """;

    @TempDir
    private Path scratch;

    private Path image;

    @BeforeEach
    void makeImage() throws Exception {
        ImageTree tree = new ImageTree();
        tree.file("/etc/unikernel.conf", FileContent.of(CONFIG), 0644, "generated");
        image = scratch.resolve("app.img");
        new Ext2Writer("unikernel", Instant.parse("2026-01-01T00:00:00Z")).write(tree, image);
    }

    private static Map<String, Object> file(String path, long size, String origin) {
        return Map.of(
                "path", path, "type", "file", "mode", "0644", "size", size, "origin", origin, "sha256", "00" + size);
    }

    private Path manifest(String name, String kernel, List<Map<String, Object>> files) throws IOException {
        Map<String, Object> manifest = Map.of(
                "name", "app",
                "created", "2026-01-01T00:00:00Z",
                "image", Map.of("file", "app.img", "size", 5_000_000, "uuid", "01234567-89ab-8def-8123-456789abcdef"),
                "kernel", Map.of("version", kernel, "options", "quiet mitigations=off"),
                "jdk",
                        Map.of(
                                "version", "17.0.1",
                                "vendor", HOSTILE,
                                "modules", Map.of("java.base", "17", "java.sql", "17"),
                                "moduleReasons", Map.of("java.base", "every program uses it", "java.sql", HOSTILE),
                                "moduleBytes", Map.of("java.base", 3000, "java.sql", 1000)),
                "application", Map.of("mainClass", "a.Main", "debugPort", 5005, "jmxPort", 9010),
                "machine", Map.of("memory", 128, "vcpus", 1, "network", "dhcp", "hostname", "a", "scratchBytes", 0),
                "parts", Map.of("fileSystem", 2048, "free", 4096),
                "files", files);
        return Files.writeString(scratch.resolve(name), new Gson().toJson(manifest));
    }

    private Path ordinary() throws IOException {
        return manifest(
                "app.unikernel.json",
                "1",
                List.of(
                        file("/boot/unikernel", 600_000, "maven:kernel"),
                        file("/jvm/lib/modules", 1_000_000, "jdk:x"),
                        file("/jvm/lib/server/libjvm.so", 2_000_000, "jdk:x"),
                        file("/lib/x86_64-linux-gnu/libc.so.6", 500_000, "system:libc"),
                        file("/app/lib/" + HOSTILE.replace('/', '|') + ".jar", 300_000, "maven:g:a:1"),
                        file("/app/app.jar", 200_000, "maven:g:app:1"),
                        file("/app/small", 10, "file:small")));
    }

    private String page(Path manifest, Optional<Path> previous) throws IOException {
        return ReportPage.of(image, manifest, previous, Optional.empty(), List.of(8080));
    }

    @Test
    void aModulesShareIsThatOfItsClasses() throws Exception {
        Shares shares = new Shares(ImageManifest.read(ordinary()));
        assertEquals(Map.of("java.base", 750_000L, "java.sql", 250_000L), shares.modules());
        assertEquals(
                4_600_010,
                shares.tiles().stream().mapToLong(Treemap.Tile::bytes).sum());
        assertEquals(
                Set.of("kernel", "modules", "runtime", "libraries", "dependencies", "application"),
                shares.byKind().keySet());
        assertTrue(shares.tiles().stream().anyMatch(tile -> tile.name().equals("1 small") && tile.bytes() == 10));
    }

    @Test
    void nothingThatComesFromOutsideIsMarkup() throws Exception {
        String page = page(ordinary(), Optional.empty());
        assertFalse(page.contains("<img") || page.contains("<script") || page.contains("<i>"), page);
        assertTrue(page.contains("&lt;img src=x onerror=&quot;document.title=&#39;taken&#39;&quot;&gt;"), page);
        assertFalse(page.matches("(?s).*(src|href|url\\()=?[\"']?(https?:)?//.*"), page);
    }

    @Test
    void theSurfaceIsThatOfTheConfiguration() throws Exception {
        String page = page(ordinary(), Optional.empty());
        for (String expected : List.of(
                "<code>/jvm/bin/java</code>, which the kernel starts.",
                "<code>/app</code>, in memory, with the files of the image",
                "<code>/var/spool/&lt;i&gt;x</code>, in memory, up to 1.0 MiB",
                "<code>/data</code>, on a scratch disk",
                "TCP 8080, of the program",
                "TCP 9100, metrics of the kernel",
                "TCP 5005, the JVM&#39;s debugger agent",
                "TCP 9010, the JVM&#39;s agent for JMX",
                "Variable <code>DB_*</code>, from host",
                "The program cannot reach EC2&#39;s instance metadata service.",
                "<code>mitigations=off</code> switches",
                "<td>Program text is not writable</td>",
                "<td><code>openat</code></td>")) {
            assertTrue(page.contains(expected), expected + " is not in\n" + page);
        }
    }

    @Test
    void aKernelOfTheUserIsNotDescribed() throws Exception {
        String page =
                page(manifest("own.json", "custom", List.of(file("/boot/unikernel", 1, "file:k"))), Optional.empty());
        assertTrue(page.contains("a kernel of the project&#39;s own"), page);
        assertFalse(page.contains("openat"), page);
    }

    @Test
    void changesAreThoseSinceThePreviousImage() throws Exception {
        assertTrue(page(ordinary(), Optional.empty()).contains("There is no earlier image to compare with."));
        Path previous = manifest(
                "previous.json",
                "1",
                List.of(file("/boot/unikernel", 600_001, "maven:kernel"), file("/gone", 7, "file:gone")));
        String page = page(ordinary(), Optional.of(previous));
        assertTrue(page.contains("the last image with other contents: 8 differences."), page);
        assertTrue(page.contains("<td><code>/gone</code></td><td>removed</td><td class=\"number\">7 B</td>"), page);
        assertTrue(page.contains("<td><code>/boot/unikernel</code></td><td>changed</td>"), page);
    }

    @Test
    void anotherManifestIsAnError() throws Exception {
        Path manifest = Files.writeString(scratch.resolve("x.json"), "{\"files\": []}");
        assertEquals(
                manifest + " is not a manifest that a report can be made of. Make the image again with 'mvn package'.",
                assertThrows(ExplainedException.class, () -> page(manifest, Optional.empty()))
                        .getMessage());
    }

    private String browse(Path page, String... options) throws Exception {
        return Browser.open(scratch, page.toUri(), options);
    }

    private Path written() throws IOException {
        return Files.writeString(scratch.resolve("page.html"), page(ordinary(), Optional.empty()));
    }

    @Test
    void aBrowserFindsTextAndNoScript() throws Exception {
        String dom = browse(written(), "--dump-dom");
        assertTrue(dom.contains("<title>app: what is in the image</title>"), dom);
        assertFalse(dom.contains("<img") || dom.contains("<script"), dom);
        assertTrue(dom.endsWith("</html>\n") || dom.strip().endsWith("</html>"), dom);
    }

    /** Width and scheme (0 is dark); the kinds' colours are to be seen, on the page's own ground. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "1280 1 ffffff f3b7ae b9d4f5 b7e0bd",
                "1280 0 15181c 7a3930 2b4f7d 2c5f36",
                "420 1 ffffff f3b7ae b9d4f5 b7e0bd"
            })
    void aBrowserDrawsTheTreemap(String settings) throws Exception {
        String[] words = settings.split(" ");
        Path picture = scratch.resolve("page.png");
        browse(
                written(),
                "--window-size=" + words[0] + ",1400",
                "--blink-settings=preferredColorScheme=" + words[1],
                "--screenshot=" + picture);
        BufferedImage drawn = ImageIO.read(picture.toFile());
        assertEquals(Integer.parseInt(words[0]), drawn.getWidth());
        Set<String> colours = new HashSet<>();
        for (int y = 0; y < drawn.getHeight(); y++) {
            for (int x = 0; x < drawn.getWidth(); x++) {
                colours.add(String.format("%06x", drawn.getRGB(x, y) & 0xFFFFFF));
            }
        }
        for (int i = 2; i < words.length; i++) {
            assertTrue(colours.contains(words[i]), words[i] + " is not among the " + colours.size() + " colours");
        }
    }

    /** The frame is as wide as a telephone's screen. Only the tables with the hostile text scroll. */
    @Test
    void tablesFitASmallScreen() throws Exception {
        Path frame = Files.writeString(
                scratch.resolve("frame.html"), """
                <iframe src="%s" width="400" height="900"></iframe><p></p>
                <script>onload = () => document.querySelector("p").textContent = "scrolls: " +
                    [...document.querySelector("iframe").contentDocument.querySelectorAll(".table")]
                        .map(table => table.scrollWidth > table.clientWidth ? 1 : 0).join("")</script>
                """.formatted(written().toUri()));
        String dom = browse(frame, "--allow-file-access-from-files", "--dump-dom");
        assertTrue(dom.matches("(?s).*<p>scrolls: 110+</p>.*"), dom);
    }
}
