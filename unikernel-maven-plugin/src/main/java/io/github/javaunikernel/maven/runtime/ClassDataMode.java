// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whose classes an image has in a class-data archive, from which the JVM takes them without reading class files. */
public enum ClassDataMode {

    /** There is no archive. */
    OFF,
    /** Those of the JDK that its own list names. */
    JDK,
    /** Those of the JDK and the application that a list of the project names. */
    APP,
    /** Those that a recording of a start names, in the JVM's AOT cache, with profiles of their methods. */
    AOT;

    private static final String PARAMETER = "cds";

    /** Whether the application's classes are in it, so that it takes the place of the JDK's own. */
    public boolean isOfApplication() {
        return this == APP || this == AOT;
    }

    /**
     * Reads the parameter.
     *
     * @param text or null for the default
     * @param list of classes, which may be missing
     */
    public static ClassDataMode of(String text, Path list, JavaHome jdk) throws SettingException {
        boolean listed = Files.isRegularFile(list);
        checkList(list, "Name a file, which 'mvn unikernel:train' writes.");
        if (text == null) {
            return listed ? APP : jdk.hasReproducibleClassData() ? JDK : OFF;
        }
        switch (text) {
            case "off":
                return OFF;
            case "jdk":
                return JDK;
            case "app":
                if (!listed) {
                    throw new SettingException(
                            PARAMETER,
                            "There is no class list " + list + ".",
                            "Record one with 'mvn unikernel:train', or set it to jdk.");
                }
                return APP;
            case "aot":
                if (!AotCache.canRecord(jdk)) {
                    throw new SettingException(
                            PARAMETER,
                            "The AOT cache needs Java 25 or later, and the image gets Java " + jdk.feature() + ".",
                            "Set it to app, or choose a newer JDK with jdkHome.");
                }
                return AOT;
            default:
                throw new SettingException(
                        PARAMETER, "'" + text + "' is not a kind of class data.", "Set it to off, jdk, app or aot.");
        }
    }

    /** Refuses a list that neither is a file nor can become one. */
    public static void checkList(Path list, String remedy) throws SettingException {
        Path above = list.toAbsolutePath().getParent();
        boolean isOther = Files.exists(list) && !Files.isRegularFile(list);
        if (isOther || above != null && Files.exists(above) && !Files.isDirectory(above)) {
            throw new SettingException(
                    "classList",
                    list + " is a directory, or has a file in its path where a directory must be.",
                    remedy);
        }
    }
}
