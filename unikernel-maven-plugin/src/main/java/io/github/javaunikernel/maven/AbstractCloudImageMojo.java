// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.MachineSize;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * The base of the goals on EC2 that concern one image of the project and pass information to each other in files beside
 * it.
 */
abstract class AbstractCloudImageMojo extends AbstractCloudMojo {
    /**
     * A raw image to use instead of the one that {@code imageName} and {@code classifier} name, such as
     * {@code other/target/shop.img}. The files in which the goals pass information to each other are named after it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.image")
    private File image;

    /** Where the image is, whether it has been made or not. */
    final Path imageFile() {
        return image == null ? directory().resolve(fileName() + ".img") : image.toPath();
    }

    /** An image that exists, and the machine it was built for. */
    record Deployable(Path file, MachineSize size) {}

    /** The image to deploy, which must have been made. */
    final Deployable deployable() throws SettingException, IOException {
        if (image != null) {
            return new Deployable(image.toPath(), MachineSize.UNKNOWN);
        }
        BuiltImage built = BuiltImage.find(directory(), fileName());
        built.dataDiskNote().ifPresent(getLog()::warn);
        return new Deployable(built.image(), new MachineSize(built.memory(), built.vcpus(), built.scratchBytes()));
    }
}
