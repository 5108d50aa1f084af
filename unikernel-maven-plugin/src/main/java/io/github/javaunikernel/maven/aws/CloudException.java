// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

/** A step in the cloud that cannot go on. The message says what happened; the reason lets a caller add what to do. */
public final class CloudException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Why a step stopped, in terms a user can act on. */
    public enum Reason {
        /** No credentials were found, or they cannot be read. */
        CREDENTIALS,
        /** The service knows the caller and refuses the call. */
        PERMISSION,
        /** The region does not exist or cannot hold paravirtual machines. */
        REGION,
        /** No boot loader image (AKI) is known for the region. */
        BOOT_LOADER,
        /** The image name is taken or malformed. */
        NAME,
        /** The image file is missing, empty, too large or changed while it was read. */
        IMAGE,
        /** A setting that the service or this program refuses. */
        SETTING,
        /** The time given is over. */
        DEADLINE,
        /** The service failed or refused in a way no setting cures. */
        SERVICE,
        /** Another deploy of the same project is under way on this machine. */
        BUSY,
        /** The user stopped it. */
        INTERRUPTED
    }

    private final Reason reason;

    public CloudException(Reason reason, String message) {
        this(reason, message, null);
    }

    public CloudException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** Whether a remote call failed because what it names does not exist. */
    boolean isNotFound() {
        return getCause() != null && Fault.of(getCause()) == Fault.NOT_FOUND;
    }

    /** The service's own code for the failure, such as {@code InvalidAMIName.Duplicate}; null when there is none. */
    String code() {
        return getCause() == null ? null : Fault.code(getCause());
    }
}
