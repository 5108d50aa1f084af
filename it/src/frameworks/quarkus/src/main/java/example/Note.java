// SPDX-License-Identifier: Apache-2.0
package example;

import java.time.LocalDate;

public record Note(int id, String text, LocalDate day) {
}
