// SPDX-License-Identifier: Apache-2.0
/** Pages that need nothing but themselves: no script, no other file, no network. */
package io.github.javaunikernel.maven.html;
