// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.nio.file.Path;
import java.util.List;

/**
 * A bundle on disk.
 *
 * @param manifest the XML that names the parts
 * @param parts in order
 * @param kernelId boot loader (AKI) that the manifest names
 */
public record Bundle(Path manifest, List<Path> parts, String kernelId) {
    /**
     * What a bundle is for.
     *
     * @param prefix name of the image inside the bundle and start of its files' names
     * @param account 12-digit account id
     * @param kernelId boot loader (AKI)
     * @param keys certificates and the user's key
     */
    public record Spec(String prefix, String account, String kernelId, BundleKeys keys) {
        /** @throws CloudException for what would break the manifest or be refused with it */
        public static Spec of(String prefix, String account, String kernelId, BundleKeys keys) throws CloudException {
            require(
                    prefix.matches("[A-Za-z0-9._-]{1,99}"),
                    CloudSetting.IMAGE,
                    "The name of the image file \"" + prefix
                            + "\" becomes that of the bundle, and is not 1 to 99 letters, digits or ._-.",
                    "Rename the file.");
            require(
                    account.matches("\\d{12}"),
                    CloudSetting.PROFILE,
                    "The credentials are of account \"" + account + "\", which is not an id of 12 digits.",
                    "Use credentials of an account of AWS.");
            require(
                    kernelId.matches("aki-[0-9a-f]{8,17}"),
                    CloudSetting.KERNEL_ID,
                    "\"" + kernelId + "\" is not the id of a boot loader.",
                    "Give one such as aki-dc9ed9af, or leave the parameter out.");
            return new Spec(prefix, account, kernelId, keys);
        }

        private static void require(boolean fine, CloudSetting where, String problem, String fix)
                throws CloudException {
            if (!fine) {
                throw new CloudException(where, problem, fix);
            }
        }
    }
}
