// SPDX-License-Identifier: Apache-2.0
/** How every layer says that a parameter is wrong. */
package io.github.javaunikernel.maven.settings;
