// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.maven.model.Build;
import org.apache.maven.model.Model;
import org.apache.maven.model.Plugin;
import org.apache.maven.project.MavenProject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IntegrationTestsTest {

    private static MavenProject project(Plugin... plugins) {
        Build build = new Build();
        build.setPlugins(List.of(plugins));
        Model model = new Model();
        model.setBuild(build);
        return new MavenProject(model);
    }

    /** As the descriptors of these versions bind the parameter. */
    @ParameterizedTest
    @CsvSource({"2.22.2, true", "3.5.4, true", "3.6.0-M1, true", "3.6.0, false", "3.6.1, false", "3.10.0, false"})
    void failsafeDecidesFromVersion36On(String version, boolean skipped) {
        Plugin failsafe = new Plugin();
        failsafe.setGroupId("org.apache.maven.plugins");
        failsafe.setArtifactId("maven-failsafe-plugin");
        failsafe.setVersion(version);
        assertEquals(skipped, IntegrationTests.areSkippedWithTests(project(failsafe)));
    }

    @Test
    void withoutFailsafeThereAreNone() {
        assertTrue(IntegrationTests.areSkippedWithTests(project()));
    }

    /** The builds that README.md and the manual give skip all tests by one switch. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "pom.xml",
                "unikernel-archetype/src/main/resources/archetype-resources/pom.xml",
                "unikernel-archetype/src/main/resources/archetype-resources/flavours/spring-boot/pom.xml",
                "unikernel-archetype/src/main/resources/archetype-resources/flavours/quarkus/pom.xml"
            })
    void oneSwitchSkipsAllTestsHere(String pom) throws Exception {
        String text = Files.readString(Path.of("..").resolve(pom));
        assertTrue(text.contains("<skipTests>false</skipTests>"), pom);
        assertTrue(text.contains("<skipITs>${skipTests}</skipITs>"), pom);
    }
}
