// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

/**
 * Where a file is among the others of an image. A deployment sends only the pieces of an image that have changed since
 * the last one, so files that seldom change come first, and files that change leave those before them where they are.
 *
 * @param volatility how often the file changes
 * @param rank order among files of the same volatility; those of equal rank are in the order of their paths
 */
public record Placement(Volatility volatility, int rank) {

    /** The kernel, and libraries of the system. */
    public static final Placement SYSTEM = new Placement(Volatility.SYSTEM, 0);
    /** What every application gets from a JDK. */
    public static final Placement RUNTIME = new Placement(Volatility.RUNTIME, 0);
    /** What depends on the modules of the JDK that the application uses. */
    public static final Placement MODULES = new Placement(Volatility.MODULES, 0);
    /** The application and its configuration. */
    public static final Placement APPLICATION = new Placement(Volatility.APPLICATION, 0);

    private static final int MEBIBYTE = (1 << 20) / Ext2Geometry.BLOCK_SIZE;

    /** How often files change, in the order of the image; each kind has room to grow before the next one begins. */
    public enum Volatility {
        SYSTEM(MEBIBYTE),
        RUNTIME(MEBIBYTE),
        MODULES(4 * MEBIBYTE),
        DEPENDENCIES(8 * MEBIBYTE),
        APPLICATION(MEBIBYTE);

        /** The next kind begins at a multiple of so many blocks. */
        final int unit;

        Volatility(int unit) {
            this.unit = unit;
        }
    }

    /** A library that the application brings along. */
    public static Placement dependency(int rank) {
        return new Placement(Volatility.DEPENDENCIES, rank);
    }
}
