/** What a boot loader, the guest kernel and a Xen host read: their files' texts and the limits on them. */
package io.github.javaunikernel.maven.boot;
