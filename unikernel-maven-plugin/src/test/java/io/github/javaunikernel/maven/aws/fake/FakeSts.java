// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.time.Duration;
import java.time.Instant;

final class FakeSts {
    private FakeSts() {}

    static Reply answer(Parameters p) {
        return switch (p.action) {
            case "GetCallerIdentity" ->
                wrap(
                        p,
                        "<Arn>arn:aws:iam::" + FakeAws.ACCOUNT + ":user/fake</Arn><UserId>AIDA</UserId><Account>"
                                + FakeAws.ACCOUNT + "</Account>");
            case "AssumeRole" -> assume(p);
            default -> throw new AwsFault(400, "InvalidAction", p.action);
        };
    }

    private static Reply assume(Parameters p) {
        if (!p.require("RoleArn").matches("arn:aws:iam::\\d{12}:role/.+")
                || !p.require("RoleSessionName").matches("[\\w+=,.@-]{2,64}")) {
            throw new AwsFault(400, "ValidationError", "RoleArn or RoleSessionName");
        }
        return wrap(
                p,
                "<Credentials><AccessKeyId>" + FakeAws.ROLE_ACCESS_KEY + "</AccessKeyId><SecretAccessKey>"
                        + FakeAws.ROLE_SECRET_KEY
                        + "</SecretAccessKey><SessionToken>" + FakeAws.ROLE_TOKEN + "</SessionToken><Expiration>"
                        + Instant.now().plus(Duration.ofHours(1))
                        + "</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::" + FakeAws.ACCOUNT
                        + ":assumed-role/r/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser>");
    }

    private static Reply wrap(Parameters p, String result) {
        p.requireEmpty();
        return Reply.xml(
                200,
                "<" + p.action + "Response><" + p.action + "Result>" + result + "</" + p.action + "Result></" + p.action
                        + "Response>");
    }
}
