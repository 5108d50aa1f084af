// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read from the files of an image. */
class BuiltImageTest {

    @TempDir
    private Path directory;

    @BeforeEach
    void writeFiles() throws IOException {
        for (String end : List.of("img", "kernel", "xl.cfg")) {
            Files.createFile(directory.resolve("app." + end));
        }
    }

    private BuiltImage find(String manifest) throws Exception {
        Files.writeString(directory.resolve("app.unikernel.json"), manifest);
        return BuiltImage.find(directory, "app");
    }

    @Test
    void theMachineIsThatOfTheManifest() throws Exception {
        BuiltImage image = find("""
                {"image": {"uuid": "01234567-89ab-8def-8123-456789abcdef"}, "kernel": {"options": "quiet"}, \
                "machine": {"memory": 128, "vcpus": 2, "network": "none"},
                 "application": {"debugPort": 5005, "jmxPort": 9010,
                  "check": {"config": "/etc/check.conf", "arguments": ["--self-test", ""]}}, "further": []}""");
        assertEquals(
                List.of("quiet root=UUID=01234567-89ab-8def-8123-456789abcdef", "128", "2", "none", "5005"),
                List.of(
                        image.commandLine().text(),
                        String.valueOf(image.memory()),
                        String.valueOf(image.vcpus()),
                        image.network().text(),
                        String.valueOf(image.debugPort())));
        assertEquals(9010, image.jmxPort());
        assertEquals(List.of("--self-test", ""), image.checkArguments());
        assertEquals("/etc/check.conf", image.check().config());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "{\"kernel\": {}",
                "[]",
                "{\"kernel\": {\"options\": \"\"}, \"machine\":" + " {\"memory\": 1}, \"application\": {}}"
            })
    void anotherManifestIsAnError(String manifest) {
        assertEquals(
                directory.resolve("app.unikernel.json") + " is not a manifest of an image, or only a part of one."
                        + " Make the image again with 'mvn package'.",
                assertThrows(ExplainedException.class, () -> find(manifest)).getMessage());
    }
}
