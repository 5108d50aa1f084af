// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

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
     * of the artifact.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.classifier")
    private String classifier;

    @Parameter(defaultValue = "${project.build.directory}", readonly = true, required = true)
    private File buildDirectory;

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
