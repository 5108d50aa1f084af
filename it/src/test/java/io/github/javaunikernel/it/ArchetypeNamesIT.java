// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The archetype refuses names with which the generated project could not be built. */
class ArchetypeNamesIT {

    @TempDir
    private Path scratch;

    @ParameterizedTest
    @CsvSource({
        "groupId, org example, hello, org.example, jdk, org example, 'Set it to letters, digits,'",
        "artifactId, org.example, -hello, org.example, jdk, -hello, 'Set it to letters, digits,'",
        "package, org.example, hello, org.example.new, jdk, org.example.new, Set it to the name of a Java package",
        "flavour, org.example, hello, org.example, ../src, ../src, 'Set it to jdk, spring-boot or quarkus.'"
    })
    void aBadNameIsRefused(
            String property, String group, String artifact, String pack, String flavour, String value, String fix)
            throws Exception {
        String output = Scaffold.refuse(
                scratch, "-DgroupId=" + group, "-DartifactId=" + artifact, "-Dpackage=" + pack, "-Dflavour=" + flavour);
        assertTrue(output.contains("The property " + property + " is '" + value + "'. " + fix), output);
        assertTrue(
                output.contains("Then delete " + scratch.resolve(artifact) + " and generate the project again."),
                output);
    }
}
