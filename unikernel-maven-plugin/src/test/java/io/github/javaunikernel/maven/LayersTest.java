// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Which package may use which others, and which ones may print, use Maven and use the AWS SDK. The test reads class
 * files, so it does not see a constant that the compiler has copied from another package.
 */
class LayersTest {

    private static final String GOALS = "io.github.javaunikernel.maven";

    /** Without its XML, with which Maven hands the configuration of servers to goals. */
    private static final String PLEXUS_UTILS = "org.codehaus.plexus.util";

    /** The packages from the top to the bottom, what each is, and which ones it may use. */
    private static final String TABLE = """
            goals    | a class for each | assembly dev serve run core aws oci report inspect runtime image boot settings
            assembly | assembles an image    | runtime image boot settings
            dev      | restarts on a change  | run settings
            serve    | starts it when asked  | run html settings
            run      | boots an image here   | boot settings
            core     | the memory of a guest | image settings
            aws      | machines on EC2       | settings
            oci      | disks for KubeVirt    | settings
            runtime  | the JVM and its parts | boot settings
            report   | a page about an image | inspect image boot html settings
            inspect  | shows what is in one  | image settings
            image    | ext2, FAT, partitions | settings
            boot     | the kernel, its files | settings
            html     | self-contained pages  | settings
            settings | how errors are told   |
            """;

    private static final Map<String, Set<String>> USES = TABLE.lines()
            .map(line -> line.split("\\|", -1))
            .collect(Collectors.toMap(
                    row -> row[0].strip(), row -> Set.of(row[2].strip().split(" "))));

    private static final ArchCondition<JavaClass> USE_ONLY_WHAT_THE_TABLE_ALLOWS =
            new ArchCondition<>("use only the packages that the table of LayersTest allows") {
                @Override
                public void check(JavaClass user, ConditionEvents events) {
                    user.getDirectDependenciesFromSelf().stream()
                            .filter(dependency -> !isAllowed(layer(user), dependency.getTargetClass()))
                            .forEach(dependency ->
                                    events.add(SimpleConditionEvent.violated(dependency, dependency.getDescription())));
                }
            };

    static final ArchRule DIRECTION = classes().should(USE_ONLY_WHAT_THE_TABLE_ALLOWS);

    static final ArchRule NO_CYCLES =
            slices().matching("io.github.javaunikernel.(**)").should().beFreeOfCycles();

    static final ArchRule ONLY_GOALS_PRINT = noClasses()
            .that()
            .resideOutsideOfPackage(GOALS)
            .should(ACCESS_STANDARD_STREAMS)
            .orShould()
            .dependOnClassesThat()
            .resideInAPackage("java.util.logging..")
            .because("the goals hand in where messages go");

    static final ArchRule ONLY_GOALS_KNOW_MAVEN = noClasses()
            .that()
            .resideOutsideOfPackage(GOALS)
            .should()
            .dependOnClassesThat(resideInAnyPackage("org.apache.maven..", "org.codehaus.plexus..")
                    .and(not(resideInAPackage(PLEXUS_UTILS))))
            .because("the goals hand in plain settings");

    static final ArchRule ONLY_ASSEMBLY_USES_PLEXUS_UTILS = noClasses()
            .that()
            .resideOutsideOfPackage(GOALS + ".assembly")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(PLEXUS_UTILS)
            .because("package assembly is what chooses files by patterns; the JDK starts programs");

    static final ArchRule ONLY_RUNTIME_AND_AWS_KNOW_ARCHIVES = noClasses()
            .that()
            .resideOutsideOfPackages(GOALS + ".runtime", GOALS + ".aws")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.apache.commons.compress..")
            .because("their library is there only after a goal has provided it");

    static final ArchRule ONLY_AWS_KNOWS_THE_SDK = noClasses()
            .that()
            .resideOutsideOfPackage(GOALS + ".aws")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("software.amazon..")
            .because("package aws is the only way to AWS");

    static final ArchRule ONLY_OCI_KNOWS_JIB = noClasses()
            .that()
            .resideOutsideOfPackage(GOALS + ".oci")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.google.cloud.tools.jib..", "org.yaml..")
            .because("package oci is the only way to registries and manifests");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(GOALS);

    @Test
    void theTableNamesEachPackage() {
        Set<String> found = CLASSES.stream().map(LayersTest::layer).collect(Collectors.toCollection(TreeSet::new));
        assertEquals(new TreeSet<>(USES.keySet()), found);
    }

    @Test
    void packagesUseOnlyWhatTheTableAllows() {
        DIRECTION.check(CLASSES);
    }

    @Test
    void packagesFormNoCycles() {
        NO_CYCLES.check(CLASSES);
    }

    @Test
    void onlyGoalsPrint() {
        ONLY_GOALS_PRINT.check(CLASSES);
    }

    @Test
    void onlyGoalsKnowMaven() {
        ONLY_GOALS_KNOW_MAVEN.check(CLASSES);
    }

    @Test
    void onlyAwsKnowsTheSdk() {
        ONLY_AWS_KNOWS_THE_SDK.check(CLASSES);
    }

    @Test
    void onlyOciKnowsJib() {
        ONLY_OCI_KNOWS_JIB.check(CLASSES);
    }

    @Test
    void onlyAssemblyUsesPlexusUtils() {
        ONLY_ASSEMBLY_USES_PLEXUS_UTILS.check(CLASSES);
    }

    @Test
    void onlyRuntimeAndAwsKnowArchives() {
        ONLY_RUNTIME_AND_AWS_KNOW_ARCHIVES.check(CLASSES);
    }

    private static boolean isAllowed(String user, JavaClass used) {
        String packageName = used.getBaseComponentType().getPackageName();
        boolean own = packageName.equals(GOALS) || packageName.startsWith(GOALS + ".");
        return !own
                || layer(used).equals(user)
                || USES.getOrDefault(user, Set.of()).contains(layer(used));
    }

    /** A package's name in the table. */
    private static String layer(JavaClass member) {
        String packageName = member.getBaseComponentType().getPackageName();
        return packageName.equals(GOALS) ? "goals" : packageName.substring(GOALS.length() + 1);
    }
}
