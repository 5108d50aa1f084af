// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** One name in the tree: a directory, a file or a symbolic link. */
abstract sealed class Node {

    /** Absolute path, {@code /} for the root. */
    final String path;
    /** The nine permission bits. */
    final int permissions;
    /** Where the node came from, for the manifest. */
    final String origin;

    private Node(String path, int permissions, String origin) {
        this.path = path;
        this.permissions = permissions;
        this.origin = origin;
    }

    static final class Directory extends Node {
        /** Sorted, so that the layout depends on names alone and never on the order of calls. */
        private final Map<String, Node> children = new TreeMap<>();

        Directory(String path, int permissions, String origin) {
            super(path, permissions, origin);
        }

        Map<String, Node> children() {
            return Collections.unmodifiableMap(children);
        }

        Node child(String name) {
            return children.get(name);
        }

        void put(String name, Node child) {
            children.put(name, child);
        }
    }

    static final class File extends Node {
        final FileContent content;
        /** Whether blocks of zeros must be stored; boot loaders older than the guest cannot be trusted with holes. */
        final boolean dense;

        final Placement placement;

        File(String path, int permissions, String origin, FileContent content, boolean dense, Placement placement) {
            super(path, permissions, origin);
            this.content = content;
            this.dense = dense;
            this.placement = placement;
        }

        /** The file in an image with this id. */
        File in(UUID image) {
            return new File(path, permissions, origin, content.in(image), dense, placement);
        }
    }

    static final class SymbolicLink extends Node {
        final String target;

        SymbolicLink(String path, String origin, String target) {
            super(path, 0777, origin);
            this.target = target;
        }

        byte[] targetBytes() {
            return target.getBytes(StandardCharsets.UTF_8);
        }
    }
}
