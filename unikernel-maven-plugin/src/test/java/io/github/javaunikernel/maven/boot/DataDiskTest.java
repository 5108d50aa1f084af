// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataDiskTest {

    @Test
    void readsLabelsDirectoriesAndSizes() throws SettingException {
        assertEquals(
                List.of(
                        new DataDisk("orders", "/app/data", 1L << 30, false),
                        new DataDisk("a.B-c_1", "/var/db", 4L << 30, false),
                        new DataDisk("prices", "/prices", 1L << 30, true)),
                DataDisk.parse(List.of("orders /app/data", " a.B-c_1  /var/db 4g ", "prices /prices read-only")));
    }

    @Test
    void writesTheKernelsDirective() throws SettingException {
        assertEquals(
                "orders /app/data",
                DataDisk.parse(List.of("orders /app/data 4g")).get(0).text());
        assertEquals(
                "p /prices read-only",
                DataDisk.parse(List.of("p /prices read-only")).get(0).text());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/app/data | is not a data disk",
                "orders | is not a data disk",
                "a-label-of-many-characters /data | is not a data disk",
                "'or ders' /data | is not a data disk",
                "orders data | is not a data disk",
                "orders /data 100k | is smaller than any data disk",
                "orders /data 99999999g | has a size that no data disk can have",
                "orders /jvm/data | would hide files",
                "orders / | is not a data disk"
            })
    void refusesOthers(String text, String problem) {
        SettingException e = assertThrows(SettingException.class, () -> DataDisk.parse(List.of(text)));
        assertEquals("dataDisks", e.parameter());
        assertTrue(e.getMessage().contains(problem), e.getMessage());
    }

    @Test
    void refusesTwoOfOneLabelOrDirectory() {
        for (String second : List.of("orders /b", "prices /a")) {
            SettingException e =
                    assertThrows(SettingException.class, () -> DataDisk.parse(List.of("orders /a", second)));
            assertTrue(e.getMessage().contains("Two data disks have"), e.getMessage());
        }
    }

    @Test
    void refusesMoreThanTheKernelTakes() {
        List<String> nine = List.of("a /a", "b /b", "c /c", "d /d", "e /e", "f /f", "g /g", "h /h", "i /i");
        SettingException e = assertThrows(SettingException.class, () -> DataDisk.parse(nine));
        assertTrue(e.getMessage().contains("There are 9 data disks."), e.getMessage());
    }
}
