// SPDX-License-Identifier: Apache-2.0
package example;

import org.springframework.data.jpa.repository.JpaRepository;

public interface Notes extends JpaRepository<Note, Long> {
}
