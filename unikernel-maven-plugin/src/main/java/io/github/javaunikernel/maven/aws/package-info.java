// SPDX-License-Identifier: Apache-2.0
/**
 * From an image file to a machine image and a running instance on EC2. Nothing here knows Maven: the goals hand in
 * plain settings and get results or a {@link io.github.javaunikernel.maven.aws.CloudException} back.
 *
 * <p>From the outside in: {@link io.github.javaunikernel.maven.aws.AmiDeployer} (one region after the plan is made),
 * {@link io.github.javaunikernel.maven.aws.SnapshotUploader} (EBS direct API),
 * {@link io.github.javaunikernel.maven.aws.BlockMap} (what is to be sent),
 * {@link io.github.javaunikernel.maven.aws.Retrier} (every remote call goes through it).
 */
package io.github.javaunikernel.maven.aws;
