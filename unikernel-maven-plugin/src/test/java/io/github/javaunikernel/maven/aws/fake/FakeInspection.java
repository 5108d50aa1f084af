// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import com.google.gson.GsonBuilder;
import java.util.Map;
import java.util.TreeMap;

/** What the fake received, for people and scripts: {@code GET /_fake/images}. */
final class FakeInspection {
    private FakeInspection() {}

    static Reply answer(FakeAws fake, Request request) {
        if (!request.path.equals("/_fake/images")) {
            return Reply.json(404, "{}");
        }
        Map<String, Map<String, Object>> images = new TreeMap<>();
        fake.regions()
                .forEach((name, region) -> region.images.forEach((id, image) -> images.put(
                        id,
                        Map.of(
                                "region",
                                name,
                                "fields",
                                image.fields,
                                "tags",
                                image.tags,
                                "launchPermissions",
                                image.launchPermissions))));
        return Reply.json(200, new GsonBuilder().setPrettyPrinting().create().toJson(images));
    }
}
