// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.nio.file.Path;
import java.util.List;

/**
 * A bundle on disk.
 *
 * @param manifest the XML that names the parts
 * @param parts    in order
 * @param kernelId boot loader (AKI) that the manifest names
 */
public record Bundle(Path manifest, List<Path> parts, String kernelId) {
    /**
     * What a bundle is for.
     *
     * @param prefix   name of the image inside the bundle and start of its files' names
     * @param account  12-digit account id
     * @param kernelId boot loader (AKI)
     * @param keys     certificates and the user's key
     */
    public record Spec(String prefix, String account, String kernelId, BundleKeys keys) {
        /** @throws CloudException for what would break the manifest or be refused with it */
        public static Spec of(String prefix, String account, String kernelId, BundleKeys keys) throws CloudException {
            require(prefix.matches("[A-Za-z0-9._-]{1,99}"), "The bundle's name \"" + prefix + "\" is not 1 to 99 letters, digits or ._-.");
            require(account.matches("\\d{12}"), "\"" + account + "\" is no account id of 12 digits.");
            require(kernelId.matches("aki-[0-9a-f]{8,17}"), "\"" + kernelId + "\" is no boot loader id (aki-…).");
            return new Spec(prefix, account, kernelId, keys);
        }

        private static void require(boolean fine, String message) throws CloudException {
            if (!fine) {
                throw new CloudException(Reason.SETTING, message);
            }
        }
    }
}
