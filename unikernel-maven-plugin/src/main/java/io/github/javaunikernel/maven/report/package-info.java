// SPDX-License-Identifier: Apache-2.0
/**
 * One page about an image: what takes its bytes, why each part is there, what has changed, and the attack surface.
 * {@link io.github.javaunikernel.maven.report.ReportPage} is the way in.
 */
package io.github.javaunikernel.maven.report;
