// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.LinkedModules;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What was prepared for an image of a Java program before its tree is built.
 *
 * @param runtime directory of the linked runtime
 * @param classData those that are not the runtime's own
 * @param options of the JVM on its command line
 * @param trainable whether a start of it can record a class list
 * @param drawing whether text is drawn, so that fonts are needed
 * @param linked modules of the runtime
 * @param moduleReasons the modules that the runtime was linked for, each with the reason
 * @param modules what the runtime was linked of
 */
record JavaProgram(
        String mainClass,
        Path runtime,
        ImageClassData.Result classData,
        Launch launch,
        List<String> options,
        boolean trainable,
        boolean drawing,
        List<String> linked,
        Map<String, String> moduleReasons,
        LinkedModules modules) {}
