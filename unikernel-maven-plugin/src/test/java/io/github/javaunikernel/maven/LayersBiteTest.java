// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.settings.SettingException;
import org.junit.jupiter.api.Test;

/** Each rule of LayersTest finds the class that breaks it. */
class LayersBiteTest {

    private static final String BREAKER = "io.github.javaunikernel.maven.settings.RuleBreaker";

    @Test
    void useOfAPackageAboveIsFound() throws Exception {
        assertFinds("RuleBreaker.usesAPackageAbove(", LayersTest.DIRECTION, breaker());
    }

    @Test
    void aCycleIsFound() throws Exception {
        JavaClasses cycle = new ClassFileImporter()
                .importClasses(Class.forName(BREAKER), NetworkSetting.class, SettingException.class);
        assertFinds("RuleBreaker.usesAPackageAbove(", LayersTest.NO_CYCLES, cycle);
    }

    @Test
    void printingIsFound() throws Exception {
        assertFinds("RuleBreaker.prints()", LayersTest.ONLY_GOALS_PRINT, breaker());
        assertFinds("RuleBreaker.printsAStackTrace(", LayersTest.ONLY_GOALS_PRINT, breaker());
        assertFinds("RuleBreaker.logs()", LayersTest.ONLY_GOALS_PRINT, breaker());
    }

    @Test
    void useOfMavenIsFound() throws Exception {
        assertFinds("RuleBreaker.knowsMaven(", LayersTest.ONLY_GOALS_KNOW_MAVEN, breaker());
    }

    @Test
    void useOfTheSdkIsFound() throws Exception {
        assertFinds("RuleBreaker.knowsTheSdk(", LayersTest.ONLY_AWS_KNOWS_THE_SDK, breaker());
    }

    @Test
    void useOfJibIsFound() throws Exception {
        assertFinds("RuleBreaker.knowsJib(", LayersTest.ONLY_OCI_KNOWS_JIB, breaker());
    }

    @Test
    void useOfPlexusUtilsIsFound() throws Exception {
        assertFinds("RuleBreaker.matchesPatterns(", LayersTest.ONLY_ASSEMBLY_USES_PLEXUS_UTILS, breaker());
    }

    @Test
    void useOfArchivesIsFound() throws Exception {
        assertFinds("RuleBreaker.readsAnArchive(", LayersTest.ONLY_RUNTIME_AND_AWS_KNOW_ARCHIVES, breaker());
    }

    static JavaClasses breaker() throws ClassNotFoundException {
        return new ClassFileImporter().importClasses(Class.forName(BREAKER));
    }

    static void assertFinds(String expected, ArchRule rule, JavaClasses classes) {
        String found =
                assertThrows(AssertionError.class, () -> rule.check(classes)).getMessage();
        assertTrue(found.contains(expected), found);
    }
}
