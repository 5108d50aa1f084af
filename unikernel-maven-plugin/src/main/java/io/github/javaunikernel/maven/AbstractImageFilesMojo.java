package io.github.javaunikernel.maven;

import java.io.File;
import java.nio.file.Path;
import org.apache.maven.plugins.annotations.Parameter;

/** What the goals on an image's files have in common: where those are, and their name. */
abstract class AbstractImageFilesMojo extends AbstractUnikernelMojo {

    /**
     * Name of the image's files, without their extensions.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.imageName", defaultValue = "${project.build.finalName}")
    private String imageName;

    /**
     * Distinguishes several images of one project: added to the name of the files, and to the artifact.
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
