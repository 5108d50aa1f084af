// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import io.github.javaunikernel.maven.image.Ext2Writer;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.runtime.Jar;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.zip.ZipFile;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.descriptor.DuplicateParameterException;
import org.apache.maven.plugin.descriptor.MojoDescriptor;
import org.apache.maven.plugin.descriptor.Parameter;
import org.apache.maven.project.MavenProject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every goal reports what is wrong in one form: what, where, and what to do in the last sentence. The rules find code
 * that could let the bare message of a library or of the system through.
 */
class ErrorsTest {

    private static final String PACKAGE = "io.github.javaunikernel.maven";

    static final ArchRule FAILURES_ARE_EXPLAINED = noClasses()
            .that()
            .resideOutsideOfPackage(PACKAGE + ".aws..")
            .and()
            .areNotAssignableTo(IOException.class)
            .should()
            .callConstructorWhere(target(owner(equivalentTo(IOException.class))))
            .orShould()
            .callConstructorWhere(target(owner(equivalentTo(UncheckedIOException.class))))
            .because("ExplainedException says what to do");

    static final ArchRule ONE_CLASS_OPENS_JARS = noClasses()
            .that()
            .doNotBelongToAnyOf(Jar.class)
            .should()
            .callConstructorWhere(target(
                    owner(DescribedPredicate.describe("a zip file", type -> type.isAssignableTo(ZipFile.class)))))
            .because("Jar.read names the jar that is damaged");

    static final ArchRule PROGRAMS_THAT_CANNOT_RUN_ARE_EXPLAINED = noClasses()
            .should()
            .callMethodWhere(call(
                    "the start of a program outside of try", ProcessBuilder.class, "start", call -> !isTried(call)))
            .because("the system does not say what to install");

    static final ArchRule FILES_ARE_NAMED = noClasses()
            .that()
            .resideInAnyPackage(PACKAGE + ".(assembly|boot|image|run|runtime|settings)")
            .should()
            .callMethodWhere(call(
                    "text or writing outside of FileTrouble.on",
                    Files.class,
                    "write|writeString|copy|newBufferedWriter|newOutputStream|readString|readAllLines",
                    call -> !call.isDeclaredInLambda()))
            .because("the system does not name the file when a disk is full");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(PACKAGE);

    private final Properties userProperties = new Properties();

    @TempDir
    private Path scratch;

    @Test
    void failuresAreExplained() throws Exception {
        FAILURES_ARE_EXPLAINED.check(CLASSES);
        LayersBiteTest.assertFinds("RuleBreaker.failsWithoutAFix()", FAILURES_ARE_EXPLAINED, LayersBiteTest.breaker());
    }

    @Test
    void oneClassOpensJars() throws Exception {
        ONE_CLASS_OPENS_JARS.check(CLASSES);
        LayersBiteTest.assertFinds("RuleBreaker.opensAJar(", ONE_CLASS_OPENS_JARS, LayersBiteTest.breaker());
    }

    @Test
    void programsThatCannotRunAreExplained() throws Exception {
        PROGRAMS_THAT_CANNOT_RUN_ARE_EXPLAINED.check(CLASSES);
        LayersBiteTest.assertFinds(
                "RuleBreaker.runsAProgram()", PROGRAMS_THAT_CANNOT_RUN_ARE_EXPLAINED, LayersBiteTest.breaker());
    }

    @Test
    void filesAreNamed() throws Exception {
        FILES_ARE_NAMED.check(CLASSES);
        LayersBiteTest.assertFinds("RuleBreaker.writesAFile(", FILES_ARE_NAMED, LayersBiteTest.breaker());
    }

    private static DescribedPredicate<JavaCall<?>> call(
            String what, Class<?> owner, String methods, Predicate<JavaCall<?>> more) {
        return target(owner(equivalentTo(owner)))
                .and(target(nameMatching(methods)))
                .and(DescribedPredicate.describe(what, more))
                .forSubtype();
    }

    private static boolean isTried(JavaAccess<?> access) {
        return access.getContainingTryBlocks().stream()
                .flatMap(block -> block.getCaughtThrowables().stream())
                .anyMatch(caught -> caught.isEquivalentTo(IOException.class));
    }

    @Test
    void aFullDiskIsNamed() throws Exception {
        Path file = Path.of("/dev/full");
        assertFails(
                "There is no space left for /dev/full. Free some space on its disk, or name a directory on another"
                        + " one.",
                () -> FileTrouble.on(file, () -> Files.write(file, new byte[10])));
    }

    @Test
    void aFileInPlaceOfADirectoryIsReportedWithItsParameter() throws Exception {
        Path cache = Files.createFile(scratch.resolve("cache"));
        assertFails(
                cache + " is a file, or has one in its path, where a directory must be. [parameter cacheDirectory,"
                        + " -Dunikernel.cacheDirectory] Move the file away, or name another directory.",
                () -> Files.createDirectories(cache));
        assertFails(
                cache + "/inner is a file, or has one in its path, where a directory must be. [parameter"
                        + " cacheDirectory, -Dunikernel.cacheDirectory] Move the file away, or name another directory.",
                () -> Files.createDirectory(cache.resolve("inner")));
    }

    @Test
    void aFileThatMayNotBeReadIsReportedWithTheInnermostParameter() throws Exception {
        Path file = scratch.resolve("jdk/lib/modules");
        assertFails(
                "This user may not read or write " + file + ". [parameter jdkHome, -Dunikernel.jdkHome] Change the"
                        + " permissions of the file or its directory, or name another one.",
                () -> {
                    throw new AccessDeniedException(file.toString());
                });
    }

    /** So Windows answers when another program has the file open. */
    @Test
    void aFileThatAnotherProgramUsesIsNamed() throws Exception {
        Path file = Files.createFile(scratch.resolve("hello.img"));
        String expected = file + " is in use by another program, or protected. End that program, such as a guest that"
                + " runs from the file, and build again.";
        assertFails(expected, () -> {
            throw new AccessDeniedException(file.toString());
        });
        assertFails(expected, () -> {
            throw new FileSystemException(
                    file.toString(),
                    null,
                    "The process cannot access the file because it is being used by another process.");
        });
    }

    @Test
    void aMissingFileAndADirectoryInPlaceOfAFileAreNamed() throws Exception {
        assertFails(
                "There is no " + scratch + "/none. Create it, or correct the path.",
                () -> Files.readString(scratch.resolve("none")));
        assertFails(
                scratch + " is a directory where a file must be. Move it away, or name another file.",
                () -> FileTrouble.on(scratch, () -> Files.readAllBytes(scratch)));
    }

    @Test
    void aStreamOfFilesThatBreaksOffIsExplained() throws Exception {
        assertFails("/a is on a disk that cannot be written to. Name a directory on another one.", () -> {
            throw new UncheckedIOException(new FileSystemException("/a", null, "Read-only file system"));
        });
        assertFails(
                "A file cannot be read or written: Input/output error. Check the disks of the project and of the"
                        + " directory for temporary files, and build again.",
                () -> {
                    throw new UncheckedIOException(new IOException("Input/output error"));
                });
    }

    @Test
    void textInAnotherEncodingIsNamed() throws Exception {
        Path file = Files.write(scratch.resolve("release"), new byte[] {(byte) 0xFF, (byte) 0xFE});
        assertFails(
                file + " is not text in UTF-8. Save it in that encoding.",
                () -> FileTrouble.on(file, () -> Files.readAllLines(file)));
    }

    @Test
    void aDamagedJarIsNamed() throws Exception {
        Path jar = Files.writeString(scratch.resolve("damaged.jar"), "PK, but no more");
        assertFails(
                jar + " cannot be read as a jar: zip END header not found. Build it again; if it was downloaded,"
                        + " delete it from the local repository, and Maven downloads it again.",
                () -> Jar.attributes(jar));
        assertFails(
                "There is no " + scratch + "/none.jar. Create it, or correct the path.",
                () -> Jar.attributes(scratch.resolve("none.jar")));
    }

    @Test
    void anImageThatCannotBeIsReportedAsItIs() throws Exception {
        assertFails(
                "ext2 cannot store the time 2040-01-01T00:00:00Z. Use one between 1970-01-01T00:00:00Z and"
                        + " 2038-01-19T03:14:07Z.",
                () -> new Ext2Writer("label", Instant.parse("2040-01-01T00:00:00Z")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"hostname", "jdkHome"})
    void anEmptyPropertyIsRefused(String name) throws Exception {
        userProperties.setProperty("unikernel." + name, "");
        assertFails(
                "The property unikernel." + name + " is empty. [parameter " + name + ", -Dunikernel." + name
                        + "] Give it a value, or leave it out.",
                () -> {
                    throw new AssertionError("the goal ran");
                });
    }

    /** Maven would take each for false. */
    @ParameterizedTest
    @ValueSource(strings = {"yes", "1", "", "truee"})
    void aSwitchIsTrueOrFalse(String value) throws Exception {
        userProperties.setProperty("unikernel.compress", value);
        assertFails(
                "'" + value + "' is neither true nor false. [parameter compress, -Dunikernel.compress] Use one of the"
                        + " two, or leave the parameter out.",
                () -> {
                    throw new AssertionError("the goal ran");
                });
    }

    @Test
    void aParameterHasTheNameThatAPomGivesIt() throws Exception {
        assertFails(
                "'vmware' is not a way to run a guest. [parameter with, -Dunikernel.run.with] Use qemu or xl.", () -> {
                    throw new SettingException("run.with", "'vmware' is not a way to run a guest.", "Use qemu or xl.");
                });
    }

    @Test
    void propertiesForWhichNothingIsAValueMayBeEmpty() throws Exception {
        userProperties.setProperty("unikernel.debug", "");
        userProperties.setProperty("unikernel.arguments", "");
        userProperties.setProperty("unikernel.hostname", "web");
        userProperties.setProperty("unikernel.compress", "TRUE");
        AtomicBoolean ran = new AtomicBoolean();
        goal(() -> ran.getAndSet(true)).execute();
        assertTrue(ran.get());
    }

    private interface Failing {
        Object run() throws SettingException, GuestException, IOException;
    }

    /** Maven appends what causes say, so there must be none. */
    private void assertFails(String expected, Failing work) throws DuplicateParameterException {
        MojoFailureException failure = assertThrows(MojoFailureException.class, goal(work)::execute);
        assertEquals(expected, failure.getMessage());
        assertNull(failure.getCause());
        assertFalse(expected.contains("Exception"), expected);
        assertTrue(expected.endsWith("."), expected);
    }

    private AbstractUnikernelMojo goal(Failing work) throws DuplicateParameterException {
        AbstractUnikernelMojo goal = new AbstractUnikernelMojo() {
            @Override
            protected void run() throws SettingException, GuestException, IOException {
                work.run();
            }

            @Override
            protected Map<String, File> fileParameters() {
                return Map.of(
                        "cacheDirectory",
                        scratch.resolve("cache").toFile(),
                        "jdkHome",
                        scratch.resolve("jdk").toFile(),
                        "applicationDirectory",
                        scratch.resolve("j").toFile(),
                        "sysroot",
                        new File("/"));
            }
        };
        goal.project = new MavenProject();
        goal.userProperties = userProperties;
        MojoDescriptor descriptor = new MojoDescriptor();
        descriptor.setParameters(List.of(
                parameter("hostname", "java.lang.String"),
                parameter("jdkHome", "java.io.File"),
                parameter("arguments", "java.util.List"),
                parameter("debug", "java.lang.String"),
                parameter("compress", "boolean"),
                parameter("run.with", "java.lang.String"),
                readOnly()));
        goal.mojoExecution = new MojoExecution(descriptor);
        return goal;
    }

    private static Parameter readOnly() {
        Parameter parameter = new Parameter();
        parameter.setName("project");
        parameter.setType("org.apache.maven.project.MavenProject");
        return parameter;
    }

    private static Parameter parameter(String name, String type) {
        Parameter parameter = new Parameter();
        parameter.setName(name.substring(name.lastIndexOf('.') + 1));
        parameter.setType(type);
        parameter.setExpression("${unikernel." + name + "}");
        return parameter;
    }
}
