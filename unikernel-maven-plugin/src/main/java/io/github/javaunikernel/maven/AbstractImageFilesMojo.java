// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.nio.file.Path;
import org.apache.maven.plugins.annotations.Parameter;

/** The base of the goals that use the files of an image: their directory and their name. */
abstract class AbstractImageFilesMojo extends AbstractUnikernelMojo {

    /**
     * Name of the image's files, without extension.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.imageName", defaultValue = "${project.build.finalName}")
    private String imageName;

    /**
     * Distinguishes several images of one project. It is appended to the name of the files and becomes the classifier
     * of the artifact, such as {@code staging}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.classifier")
    private String classifier;

    @Parameter(defaultValue = "${project.build.directory}", readonly = true, required = true)
    private File buildDirectory;

    @Override
    void checkNames() throws SettingException {
        if (!imageName.matches("[A-Za-z0-9][A-Za-z0-9._+-]{0,149}")) {
            throw new SettingException(
                    "imageName",
                    "'" + imageName + "' cannot be the name of an image.",
                    "Use up to 150 letters, digits, '.', '_', '+' and '-', beginning with a letter or digit.");
        }
        if (classifier != null && !classifier.matches("[A-Za-z0-9._+-]{1,50}")) {
            throw new SettingException(
                    "classifier",
                    "'" + classifier + "' cannot be a part of the name of an image.",
                    "Use up to 50 letters, digits, '.', '_', '+' and '-'.");
        }
    }

    final Path directory() {
        return buildDirectory.toPath();
    }

    /** Name of the files of the image, without their extensions. */
    final String fileName() {
        return classifier == null ? imageName : imageName + "-" + classifier;
    }

    /** The classifier, or null. */
    final String classifier() {
        return classifier;
    }
}
