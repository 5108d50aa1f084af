// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import software.amazon.awssdk.services.ec2.model.Filter;

/** Shorthand for EC2's filters. */
final class Filters {
    private Filters() {}

    static Filter of(String name, String... values) {
        return Filter.builder().name(name).values(values).build();
    }

    static Filter tag(String key, String value) {
        return of("tag:" + key, value);
    }
}
