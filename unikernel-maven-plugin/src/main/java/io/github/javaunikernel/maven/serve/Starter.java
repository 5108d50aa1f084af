// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

/** A way to start instances, such as a boot in QEMU. Several threads may use it at the same time. */
public interface Starter {

    /**
     * Starts an instance; returns before its program is ready.
     *
     * @param number of the instance, from 1 on, for messages
     */
    Instance start(int number) throws InstanceException;
}
