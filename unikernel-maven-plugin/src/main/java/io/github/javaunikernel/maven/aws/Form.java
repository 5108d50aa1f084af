// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The forms that AWS gives to names and ids, as its API reference has them. What has another form is refused before
 * anything is sent, because AWS refuses some of it only after an upload.
 */
public enum Form {
    REGION("the name of a region", "[a-z]{2,}(-[a-z]+)+-\\d{1,2}", "eu-west-1"),
    ACCOUNT("the id of an account", "\\d{12}", "123456789012"),
    AMI("the id of an AMI", "ami-[0-9a-f]{8,17}", "ami-0123456789abcdef0"),
    BOOT_LOADER("the id of a kernel image", "aki-[0-9a-f]{8,17}", "aki-919dcaf8"),
    INSTANCE("the id of an instance", "i-[0-9a-f]{8,17}", "i-0123456789abcdef0"),
    SECURITY_GROUP("the id of a security group", "sg-[0-9a-f]{8,17}", "sg-0123456789abcdef0"),
    SUBNET("the id of a subnet", "subnet-[0-9a-f]{8,17}", "subnet-0123456789abcdef0"),
    INSTANCE_TYPE("the name of an instance type", "[a-z0-9-]+\\.[a-z0-9-]+", "t3.nano"),
    VOLUME_TYPE("a volume type for a root device", "gp2|gp3|standard", "gp3"),
    KMS_KEY(
            "the ARN of a KMS key",
            "arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:(key|alias)/[\\w/:-]+",
            "arn:aws:kms:eu-west-1:123456789012:key/KEY"),
    ROLE(
            "the ARN of a role",
            "arn:aws[a-z-]*:iam::\\d{12}:role/[\\w+=,.@/-]+",
            "arn:aws:iam::123456789012:role/deploy"),
    INSTANCE_PROFILE(
            "the name or ARN of an instance profile",
            "[\\w+=,.@-]{1,128}|arn:aws[a-z-]*:iam::\\d{12}:instance-profile/[\\w+=,.@/-]+",
            "shop"),
    ORGANIZATION(
            "the ARN of an organisation or of a unit of one",
            "arn:aws[a-z-]*:organizations::\\d{12}:(organization|ou)/[a-z0-9/-]+",
            "arn:aws:organizations::123456789012:organization/o-abcdefghij"),
    BUCKET("the name of a bucket", "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "my-images"),
    CIDR(
            "a block of IPv4 addresses",
            "((25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(?!/)|(?=/))){4}/(3[0-2]|[12]?\\d)",
            "203.0.113.0/24");

    private final String what;
    private final Pattern pattern;
    private final String example;

    Form(String what, String pattern, String example) {
        this.what = what;
        this.pattern = Pattern.compile(pattern);
        this.example = example;
    }

    /** Returns a value that has this form. */
    public String checked(CloudSetting setting, String value) throws CloudException {
        if (!pattern.matcher(value).matches()) {
            throw new CloudException(
                    setting, "\"" + value + "\" is not " + what + ".", "Give one such as " + example + ".");
        }
        return value;
    }

    /** As above, for a value that may be null. */
    public Optional<String> checkedIfGiven(CloudSetting setting, String value) throws CloudException {
        return value == null ? Optional.empty() : Optional.of(checked(setting, value));
    }

    /** Returns values that all have this form, each once. */
    public List<String> allChecked(CloudSetting setting, List<String> values) throws CloudException {
        for (String value : values) {
            checked(setting, value);
        }
        return values.stream().distinct().toList();
    }
}
