// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.report.Treemap.Area;
import io.github.javaunikernel.maven.report.Treemap.Placed;
import io.github.javaunikernel.maven.report.Treemap.Tile;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class TreemapTest {

    private static final double EXACT = 1e-6;

    private static List<Tile> tiles(LongStream sizes) {
        return sizes.mapToObj(size -> new Tile("kernel", "n", "d", size)).toList();
    }

    private static boolean overlap(Area a, Area b) {
        return a.left() + a.width() > b.left() + EXACT
                && b.left() + b.width() > a.left() + EXACT
                && a.top() + a.height() > b.top() + EXACT
                && b.top() + b.height() > a.top() + EXACT;
    }

    /** 14400 units of area for all bytes. */
    private static void check(List<Tile> tiles) {
        List<Placed> placed = Treemap.place(tiles);
        assertEquals(tiles.size(), placed.size());
        double unit = 14400.0 / tiles.stream().mapToLong(Tile::bytes).sum();
        for (Placed one : placed) {
            Area area = one.area();
            assertEquals(one.tile().bytes() * unit, area.width() * area.height(), EXACT);
            assertTrue(area.left() >= 0 && area.left() + area.width() <= 160 + EXACT, area.toString());
            assertTrue(area.top() >= 0 && area.top() + area.height() <= 90 + EXACT, area.toString());
            for (Placed other : placed) {
                assertFalse(one != other && overlap(area, other.area()), area + " " + other.area());
            }
        }
    }

    @Test
    void areasAreInProportionWithinTheWholeAndApart() {
        check(tiles(LongStream.of(1)));
        check(tiles(LongStream.of(6, 6, 4, 3, 2, 2, 1)));
        check(tiles(new Random(7).longs(80, 1, 20_000_000)));
    }

    @Test
    void equalTilesAreNearlySquare() {
        for (Placed placed : Treemap.place(tiles(LongStream.generate(() -> 5).limit(12)))) {
            double ratio = placed.area().width() / placed.area().height();
            assertTrue(ratio > 0.5 && ratio < 2, placed.toString());
        }
    }
}
