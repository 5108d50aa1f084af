// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.report;

import io.github.javaunikernel.maven.html.Html;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * A treemap: rectangles whose areas are in proportion to numbers of bytes, and which are as square as possible. The
 * method is that of Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000).
 */
final class Treemap {

    /** The shape for which the rectangles are made square; on the page it is stretched to what there is room for. */
    private static final Area WHOLE = new Area(0, 0, 160, 90);

    /**
     * What one rectangle shows.
     *
     * @param kind class of the style sheet
     * @param detail shown when the mouse is over it
     */
    record Tile(String kind, String name, String detail, long bytes) {}

    /** A rectangle in the units of {@link #WHOLE}. */
    record Area(double left, double top, double width, double height) {}

    /** A tile and its place. */
    record Placed(Tile tile, Area area) {}

    private Treemap() {}

    /** Places tiles of at least one byte, the largest first. */
    static List<Placed> place(List<Tile> tiles) {
        List<Tile> open = new ArrayList<>(tiles);
        open.sort(Comparator.comparingLong(Tile::bytes).reversed());
        double unit = WHOLE.width()
                * WHOLE.height()
                / tiles.stream().mapToLong(Tile::bytes).sum();
        List<Placed> placed = new ArrayList<>();
        Area free = WHOLE;
        while (!open.isEmpty()) {
            List<Tile> row = row(open, free, unit);
            free = placeRow(row, free, unit, placed);
            open = open.subList(row.size(), open.size());
        }
        return placed;
    }

    /** As many tiles as make the rectangles of a row along the shorter side more square than fewer would. */
    private static List<Tile> row(List<Tile> open, Area free, double unit) {
        double side = Math.min(free.width(), free.height());
        int length = 1;
        while (length < open.size()
                && worst(open.subList(0, length + 1), side, unit) <= worst(open.subList(0, length), side, unit)) {
            length++;
        }
        return open.subList(0, length);
    }

    /** The largest ratio of two sides in a row. */
    private static double worst(List<Tile> row, double side, double unit) {
        double sum = row.stream().mapToLong(Tile::bytes).sum() * unit;
        double largest = row.get(0).bytes() * unit;
        double smallest = row.get(row.size() - 1).bytes() * unit;
        double square = side * side;
        return Math.max(square * largest / (sum * sum), sum * sum / (square * smallest));
    }

    /** Places a row at the left or the top; returns what is left. */
    private static Area placeRow(List<Tile> row, Area free, double unit, List<Placed> placed) {
        boolean upright = free.width() >= free.height();
        double side = upright ? free.height() : free.width();
        double thickness = row.stream().mapToLong(Tile::bytes).sum() * unit / side;
        double offset = 0;
        for (Tile tile : row) {
            double length = tile.bytes() * unit / thickness;
            placed.add(new Placed(
                    tile,
                    upright
                            ? new Area(free.left(), free.top() + offset, thickness, length)
                            : new Area(free.left() + offset, free.top(), length, thickness)));
            offset += length;
        }
        return upright
                ? new Area(free.left() + thickness, free.top(), free.width() - thickness, free.height())
                : new Area(free.left(), free.top() + thickness, free.width(), free.height() - thickness);
    }

    /** Writes the rectangles. */
    static void write(List<Tile> tiles, Html page) {
        page.markup("<div class=\"treemap\">");
        for (Placed placed : place(tiles)) {
            Tile tile = placed.tile();
            Area area = placed.area();
            page.markup(String.format(
                    Locale.ROOT,
                    "<div class=\"tile %s\" style=\"left:%.4f%%;top:%.4f%%;width:%.4f%%;height:%.4f%%\" title=\"%s\">"
                            + "<span>%s</span></div>",
                    tile.kind(),
                    area.left() * 100 / WHOLE.width(),
                    area.top() * 100 / WHOLE.height(),
                    area.width() * 100 / WHOLE.width(),
                    area.height() * 100 / WHOLE.height(),
                    Html.escaped(tile.name() + ": " + tile.detail()),
                    Html.escaped(tile.name())));
        }
        page.markup("</div>");
    }
}
