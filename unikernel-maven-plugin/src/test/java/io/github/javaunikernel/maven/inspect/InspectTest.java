// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import io.github.javaunikernel.maven.image.ImageEntry;
import java.util.List;
import org.junit.jupiter.api.Test;

class InspectTest {

    private static final ImageEntry DIRECTORY = new ImageEntry("/a", "directory", 0755, 0, null, null, null);
    private static final ImageEntry FILE = new ImageEntry("/a/f", "file", 0640, 1234, "11", null, null);
    private static final ImageEntry CHANGED = new ImageEntry("/a/f", "file", 0640, 1234, "22", null, null);
    private static final ImageEntry LINK = new ImageEntry("/l", "link", 0777, 3, null, "a/f", null);

    private final Listing listing = new Listing(List.of(DIRECTORY, FILE, LINK));

    @Test
    void aListHasModesSizesAndPaths() {
        assertEquals("""
                drwxr-xr-x          0 /a/
                -rw-r-----       1234 /a/f
                lrwxrwxrwx          3 /l -> a/f
                """, listing.text());
    }

    @Test
    void aTreeIsIndented() {
        assertEquals("""
                /
                  a/
                    f  1234
                  l -> a/f
                """, listing.tree());
    }

    @Test
    void programsGetJson() {
        JsonArray entries = JsonParser.parseString(listing.json()).getAsJsonArray();
        assertEquals(3, entries.size());
        assertEquals("""
                {"path":"/a/f","type":"file","mode":"0640","size":1234,"sha256":"11"}""", entries.get(1).toString());
    }

    @Test
    void aDifferenceNamesWhatIsNewGoneAndChanged() {
        Difference difference = new Difference(List.of(DIRECTORY, FILE), List.of(CHANGED, LINK));
        assertEquals("""
                removed  /a (0)
                changed  /a/f (1234 -> 1234)
                added    /l (3)
                """, difference.text());
        JsonArray changes = JsonParser.parseString(difference.json()).getAsJsonArray();
        assertEquals("/l", changes.get(2).getAsJsonObject().get("path").getAsString());
        assertEquals(
                "a/f",
                changes.get(2)
                        .getAsJsonObject()
                        .getAsJsonObject("after")
                        .get("target")
                        .getAsString());
        assertEquals(List.of(), new Difference(List.of(FILE), List.of(FILE)).changes());
    }
}
