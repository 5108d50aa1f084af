// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * A step in the cloud that cannot go on. The message is for the user: it says what is wrong, names the parameter if one
 * is to be changed, and ends with what to do. It never quotes a cause that is not a service of AWS.
 */
public final class CloudException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Why a step stopped, with the parameter that usually cures it and what usually to do. */
    public enum Reason {
        /** No credentials were found, or they cannot be read. */
        CREDENTIALS(
                CloudSetting.PROFILE,
                "Log in (aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY),"
                        + " or name the source with"
                        + " -Dunikernel.aws.profile or -Dunikernel.aws.server."),
        /** The service knows the caller and refuses the call. */
        PERMISSION(
                null,
                "Check that the credentials are current and that their policy allows the call; the manual's"
                        + " EC2 chapter has the whole policy."),
        /** The proxy on the way refuses. */
        PROXY(null, "Give the active proxy there the username and password that it wants, or ask who runs it."),
        /** The region does not exist or does not have the machines that are asked for. */
        REGION(CloudSetting.REGIONS, "Choose other regions."),
        /** No boot loader image (AKI) is known for the region. */
        BOOT_LOADER(
                CloudSetting.KERNEL_ID,
                "Give the id of a PV-GRUB hd0 kernel image, or make an hvm image with"
                        + " -Dunikernel.virtualization=hvm."),
        /** The image name is taken or malformed. */
        NAME(CloudSetting.NAME, "Change the name, or set -Dunikernel.ami.duplicateName to REUSE or REPLACE."),
        /** The image file is missing, empty, too large or changed while it was read. */
        IMAGE(CloudSetting.IMAGE, "Run the package phase first, or correct the path."),
        /** A setting that the service or this program refuses. */
        SETTING(null, "Correct the setting and run again."),
        /** A file through which goals pass on information is missing, damaged or cannot be written. */
        RECORD(null, "Delete it and run again."),
        /** The time given is over. */
        DEADLINE(
                null,
                "Give it more time with -Dunikernel.ami.timeout (-Dunikernel.launch.timeout for an instance), or"
                        + " look at the network."),
        /** The service failed or refused in a way no setting cures. */
        SERVICE(null, "See the service's message; if the problem is temporary, run again."),
        /** Another deploy of the same project is under way on this machine. */
        BUSY(null, "Wait for the other deploy to end."),
        /** The user stopped it. */
        INTERRUPTED(null, "Run again when ready.");

        private final CloudSetting where;
        private final String fix;

        Reason(CloudSetting where, String fix) {
            this.where = where;
            this.fix = fix;
        }
    }

    private final Reason reason;

    /** @param problem one or more sentences; the reason adds where and what to do */
    public CloudException(Reason reason, String problem) {
        this(reason, problem, null);
    }

    /** As above, with what led to it. */
    public CloudException(Reason reason, String problem, Throwable cause) {
        this(reason, reason.where, problem, reason.fix, cause);
    }

    /** A parameter whose value cannot work. */
    public CloudException(CloudSetting where, String problem, String fix) {
        this(Reason.SETTING, where, problem, fix, null);
    }

    /**
     * Makes the message.
     *
     * @param where the parameter to change; null when there is none
     * @param problem one or more sentences
     * @param fix one sentence that says what to do
     * @param cause what led to it; null when there is nothing
     */
    public CloudException(Reason reason, CloudSetting where, String problem, String fix, Throwable cause) {
        super(problem + (where == null ? " " : " [" + where + "] ") + fix, cause);
        this.reason = reason;
    }

    /** The failures of several regions, at least one, as one. */
    public static CloudException inRegions(Map<String, CloudException> failures) {
        return new CloudException(failures);
    }

    private CloudException(Map<String, CloudException> failures) {
        super(
                failures.entrySet().stream()
                        .map(entry -> entry.getKey() + ": " + entry.getValue().getMessage())
                        .collect(Collectors.joining("\n")),
                failures.values().iterator().next());
        this.reason = failures.values().iterator().next().reason;
    }

    /** What a task of another thread ended with; a failure that it does not explain is a fault of this program. */
    static CloudException of(Throwable failure, String task) {
        if (failure instanceof CloudException explained) {
            return explained;
        }
        return new CloudException(
                Reason.SERVICE,
                null,
                task + " ended with a fault of the plugin.",
                "Run again with -X and report what it prints about the fault.",
                failure);
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
