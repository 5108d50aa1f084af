// SPDX-License-Identifier: Apache-2.0
/** How every layer reports what is wrong with a parameter or a file. */
package io.github.javaunikernel.maven.settings;
