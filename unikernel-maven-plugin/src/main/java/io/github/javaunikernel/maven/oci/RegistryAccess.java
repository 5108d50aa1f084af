// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.oci;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * How to speak to a registry.
 *
 * @param login the credentials; without them, those of Docker's configuration and its credential helpers count
 * @param insecure whether HTTP will do, and a certificate that nobody vouches for
 * @param log takes single lines that say what happens, for debugging; called from several threads
 */
public record RegistryAccess(Optional<Login> login, boolean insecure, Consumer<String> log) {}
