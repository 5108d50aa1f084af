// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

/** What to do when the account already has an image of the same name in the region. */
public enum DuplicateName {
    /** Stop before anything is sent. */
    FAIL,
    /** Report the image that is there. */
    REUSE,
    /** Upload, then deregister the old image, register the new one and delete the old snapshots. */
    REPLACE
}
