// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.ClassDataAddress;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.runtime.LinuxSystem;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * How the runtime of an image is made.
 *
 * @param jdk from which it is linked, or null for an executable, which has no use for one
 * @param modules the root modules, or empty to find those in use
 * @param additionalModules further root modules
 * @param locales language tags whose data are kept, or empty for all
 * @param stripNative whether symbols for debuggers are left out of native libraries
 * @param classList the classes that class data of the application are made of
 * @param systems from which native libraries are taken, in the order in which they are tried; not empty
 * @param trusted files of certificates that are trusted besides those of the JDK
 * @param cache directory that linked runtimes are kept in
 * @param cacheLimit for the size of those in bytes, 0 for none
 */
public record RuntimeChoice(
        JavaHome jdk,
        Set<String> modules,
        Set<String> additionalModules,
        Set<String> locales,
        boolean compress,
        boolean stripDebug,
        boolean stripNative,
        ClassDataMode classData,
        ClassDataAddress classDataAddress,
        Path classList,
        List<LinuxSystem> systems,
        List<Path> trusted,
        Path cache,
        long cacheLimit) {}
