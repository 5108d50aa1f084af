// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

/** The parameters of the goals on EC2 that messages name, so that the user knows where to correct something. */
public enum CloudSetting {
    PROFILE("profile", "unikernel.aws.profile"),
    SERVER("server", "unikernel.aws.server"),
    ROLE("role", "unikernel.aws.role"),
    ENDPOINT("endpoint", "unikernel.aws.endpoint"),
    ATTEMPT_TIMEOUT("attemptTimeout", "unikernel.aws.attemptTimeout"),
    CLASSIFIER("classifier", "unikernel.classifier"),
    IMAGE("image", "unikernel.ami.image"),
    VIRTUALIZATION("virtualization", "unikernel.virtualization"),
    REGIONS("regions", "unikernel.ami.regions"),
    NAME("name", "unikernel.ami.name"),
    DUPLICATE_NAME("duplicateName", "unikernel.ami.duplicateName"),
    DESCRIPTION("description", "unikernel.ami.description"),
    KERNEL_ID("kernelId", "unikernel.ami.kernelId"),
    VOLUME_TYPE("volumeType", "unikernel.ami.volumeType"),
    SHARE_ACCOUNTS("shareAccounts", "unikernel.ami.shareAccounts"),
    SHARE_ORGANIZATIONS("shareOrganizations", "unikernel.ami.shareOrganizations"),
    TAGS("tags", ""),
    KMS_KEY("kmsKey", "unikernel.ami.kmsKey"),
    WORKERS("workers", "unikernel.ami.workers"),
    DEPRECATE_AFTER("deprecateAfterDays", "unikernel.ami.deprecateAfterDays"),
    DEPLOY_TIMEOUT("timeout", "unikernel.ami.timeout"),
    STATE_DIRECTORY("stateDirectory", "unikernel.ami.stateDirectory"),
    KEEP("keep", "unikernel.prune.keep"),
    PRUNE_TIMEOUT("timeout", "unikernel.prune.timeout"),
    BUNDLE_REGION("region", "unikernel.bundle.region"),
    BUCKET("bucket", "unikernel.bundle.bucket"),
    FOLDER("folder", "unikernel.bundle.folder"),
    BUNDLE_NAME("name", "unikernel.bundle.name"),
    EC2_CERTIFICATE("ec2Certificate", "unikernel.bundle.ec2Certificate"),
    CERTIFICATE("certificate", "unikernel.bundle.certificate"),
    PRIVATE_KEY("privateKey", "unikernel.bundle.privateKey"),
    REGION("region", "unikernel.launch.region"),
    IMAGE_ID("imageId", "unikernel.launch.imageId"),
    INSTANCE_TYPE("instanceType", "unikernel.launch.instanceType"),
    COUNT("count", "unikernel.launch.count"),
    PORTS("ports", "unikernel.ports"),
    INSTANCE_PROFILE("instanceProfile", "unikernel.launch.instanceProfile"),
    CIDR("cidr", "unikernel.launch.cidr"),
    SECURITY_GROUPS("securityGroups", "unikernel.launch.securityGroups"),
    SUBNET("subnet", "unikernel.launch.subnet"),
    USER_DATA("userData", "unikernel.launch.userData"),
    HEALTH_PATH("healthPath", "unikernel.healthPath"),
    LAUNCH_TIMEOUT("timeout", "unikernel.launch.timeout"),
    INSTANCE("instance", "unikernel.instance"),
    TERMINATE_TIMEOUT("timeout", "unikernel.terminate.timeout");

    private final String parameter;
    private final String property;

    CloudSetting(String parameter, String property) {
        this.parameter = parameter;
        this.property = property;
    }

    /** Name of the parameter in the POM. */
    public String parameter() {
        return parameter;
    }

    /** Name of the parameter on the command line; empty for one that only a POM can have. */
    public String property() {
        return property;
    }

    @Override
    public String toString() {
        return "parameter " + parameter + (property.isEmpty() ? "" : ", -D" + property);
    }
}
