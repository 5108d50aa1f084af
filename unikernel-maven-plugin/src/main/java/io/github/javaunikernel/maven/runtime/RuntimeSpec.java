// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.time.Instant;
import java.util.Set;

/**
 * A runtime to link.
 *
 * @param jdk where the modules come from
 * @param modules root modules; what they require comes along
 * @param compress whether classes and resources are stored compressed
 * @param stripDebug whether line numbers and variable names of the JDK's classes are left out
 * @param classData whether a class-data archive is made, which shortens the start of the JVM
 * @param locales language tags that jdk.localedata is trimmed to, or empty
 * @param time modification time of every file
 */
public record RuntimeSpec(
        JavaHome jdk,
        Set<String> modules,
        boolean compress,
        boolean stripDebug,
        boolean classData,
        Set<String> locales,
        Instant time) {}
