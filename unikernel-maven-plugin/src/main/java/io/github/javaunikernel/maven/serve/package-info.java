// SPDX-License-Identifier: Apache-2.0
/**
 * A front door for servers that exist only while they are asked: it accepts connections, starts instances for them, and
 * passes bytes on. One thread, that of {@link io.github.javaunikernel.maven.serve.FrontDoor}, owns all connections and
 * all bookkeeping; whatever may wait (a start, a shutdown, a question to QEMU) runs in a thread of
 * {@code InstanceThreads}, which reports back to it. {@link io.github.javaunikernel.maven.serve.Starter} is the one way
 * to get an instance.
 */
package io.github.javaunikernel.maven.serve;
