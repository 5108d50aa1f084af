// SPDX-License-Identifier: Apache-2.0
package example;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

@ApplicationScoped
public class Notes {

    private static final LocalDate DAY = LocalDate.of(2024, 2, 29);
    private final List<Note> notes = new ArrayList<>();

    synchronized Note add(String text) {
        Note note = new Note(notes.size() + 1, text, DAY);
        notes.add(note);
        return note;
    }

    synchronized List<Note> all() {
        return List.copyOf(notes);
    }

    synchronized Optional<Note> find(int id) {
        return notes.stream().filter(note -> note.id() == id).findFirst();
    }
}
