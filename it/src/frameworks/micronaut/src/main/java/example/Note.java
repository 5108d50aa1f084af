// SPDX-License-Identifier: Apache-2.0
package example;

import io.micronaut.serde.annotation.Serdeable;
import java.time.Instant;
import java.util.List;

@Serdeable
public record Note(String text, Instant time, List<Integer> numbers) {
}
