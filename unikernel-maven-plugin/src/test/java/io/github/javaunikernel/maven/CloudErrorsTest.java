// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudSetting;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.maven.plugins.annotations.Parameter;
import org.junit.jupiter.api.Test;

/** What the goals on EC2 say is their own: no text of Java's or the SDK's, and only parameters that there are. */
class CloudErrorsTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.github.javaunikernel.maven");

    /** These read texts in order to tell failures apart, and pass none on. */
    private static final Set<String> READERS = Set.of("Fault", "Causes");

    private static final DescribedPredicate<JavaClass> OF_THE_CLOUD = DescribedPredicate.describe(
            "belong to the goals" + " on EC2",
            type -> (type.getPackageName().endsWith(".aws") || type.isAssignableTo(AbstractCloudMojo.class))
                    && !READERS.contains(type.getSimpleName()));

    private static final DescribedPredicate<JavaMethodCall> THE_TEXT_OF_ANOTHERS_EXCEPTION =
            DescribedPredicate.describe(
                    "ask an exception that is not a CloudException for its text",
                    call -> Set.of("getMessage", "getLocalizedMessage").contains(call.getName())
                            && call.getTargetOwner().isAssignableTo(Throwable.class)
                            && !call.getTargetOwner().isEquivalentTo(CloudException.class));

    @Test
    void noTextOfAnotherExceptionIsPassedOn() {
        ArchRule rule = noClasses().that(OF_THE_CLOUD).should().callMethodWhere(THE_TEXT_OF_ANOTHERS_EXCEPTION);
        rule.check(CLASSES);
    }

    @Test
    void everySettingThatIsNamedIsAParameterOfAGoal() {
        Set<String> parameters = CLASSES.stream()
                .filter(type -> type.isAssignableTo(AbstractUnikernelMojo.class))
                .flatMap(type -> type.getFields().stream())
                .filter(field -> field.isAnnotatedWith(Parameter.class))
                .map(field -> "parameter " + field.getName()
                        + field.getAnnotationOfType(Parameter.class).property().replaceFirst("^(?=.)", ", -D"))
                .collect(Collectors.toSet());
        List<CloudSetting> unknown = Arrays.stream(CloudSetting.values())
                .filter(setting -> !parameters.contains(setting.toString()))
                .toList();
        assertEquals(List.of(), unknown);
    }
}
