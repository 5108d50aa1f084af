// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.StartedGuest;
import java.util.Map;
import java.util.Optional;

/**
 * How {@code start} leaves its guest to {@code stop}: in what Maven keeps for the plugin during a build of a project.
 */
record StartedGuests(Map<Object, Object> context, String image) {

    @SuppressWarnings("unchecked")
    static StartedGuests of(Map<?, ?> pluginContext, String image) {
        return new StartedGuests((Map<Object, Object>) pluginContext, image);
    }

    Optional<StartedGuest> current() {
        return Optional.ofNullable((StartedGuest) context.get(key()));
    }

    void put(StartedGuest guest) {
        context.put(key(), guest);
    }

    Optional<StartedGuest> take() {
        return Optional.ofNullable((StartedGuest) context.remove(key()));
    }

    private String key() {
        return "guest of " + image;
    }
}
