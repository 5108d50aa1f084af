/** How every layer says that a parameter is wrong. */
package io.github.javaunikernel.maven.settings;
