// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.nio.charset.StandardCharsets;

/**
 * What goes into a file system. Paths are absolute, with {@code /} between names; missing parents are created. All
 * nodes belong to user and group 0. Not thread-safe.
 */
public final class ImageTree {

    /** Longest name of one path component in bytes of UTF-8 (EXT2_NAME_LEN in ext2_fs.h). */
    static final int MAX_NAME_BYTES = 255;
    /** The target of a symbolic link must fit one block with its terminator (Linux fs/ext2/namei.c). */
    static final int MAX_LINK_BYTES = Ext2Geometry.BLOCK_SIZE - 1;

    /** Where e2fsck puts what it finds; every ext2 file system has it. */
    static final String LOST_AND_FOUND = "/lost+found";

    private static final int DIRECTORY_PERMISSIONS = 0755;
    private static final String GENERATED = "generated";

    private final Node.Directory root = new Node.Directory("/", DIRECTORY_PERMISSIONS, GENERATED);
    private BootArea bootArea;

    /** A tree with nothing in it but the directory that every ext2 file system has. */
    public ImageTree() {
        root.put(LOST_AND_FOUND.substring(1), new Node.Directory(LOST_AND_FOUND, 0700, GENERATED));
    }

    /** Adds an empty directory with permissions 0755; one that is already there is left as it is. */
    public ImageTree directory(String path) throws ImageException {
        directoryAt(path);
        return this;
    }

    /** Adds a file that may change as often as the application. */
    public ImageTree file(String path, FileContent content, int permissions, String origin) throws ImageException {
        return file(path, content, permissions, origin, Placement.APPLICATION);
    }

    /**
     * Adds a file.
     *
     * @param permissions the nine permission bits, such as 0644
     * @param origin where the bytes come from, for the manifest
     */
    public ImageTree file(String path, FileContent content, int permissions, String origin, Placement placement)
            throws ImageException {
        add(path, new Node.File(path, permissions, origin, content, false, placement));
        return this;
    }

    /** Adds a file that is stored without holes, for what a boot loader reads. */
    public ImageTree bootFile(String path, FileContent content, String origin) throws ImageException {
        add(path, new Node.File(path, 0644, origin, content, true, Placement.SYSTEM));
        return this;
    }

    /** Makes the image bootable from a BIOS. */
    public ImageTree boot(BootArea area) {
        bootArea = area;
        return this;
    }

    /** Adds a symbolic link; its target is stored as given and need not exist. */
    public ImageTree symbolicLink(String path, String target, String origin) throws ImageException {
        int length = target.getBytes(StandardCharsets.UTF_8).length;
        if (length == 0 || length > MAX_LINK_BYTES) {
            throw new ImageException("The symbolic link " + path + " has a target of " + length
                    + " bytes; make it 1 to " + MAX_LINK_BYTES + " bytes long.");
        }
        add(path, new Node.SymbolicLink(path, origin, target));
        return this;
    }

    /** Whether something other than a directory is at the path. */
    public boolean holdsFile(String path) throws ImageException {
        Node node = root;
        for (String name : names(path)) {
            if (!(node instanceof Node.Directory directory)) {
                return false;
            }
            node = directory.child(name);
        }
        return node != null && !(node instanceof Node.Directory);
    }

    Node.Directory root() {
        return root;
    }

    /** May be null. */
    BootArea bootArea() {
        return bootArea;
    }

    private void add(String path, Node node) throws ImageException {
        int slash = path.lastIndexOf('/');
        String name = path.substring(slash + 1);
        checkName(path, name);
        Node.Directory parent = directoryAt(slash == 0 ? "/" : path.substring(0, Math.max(slash, 0)));
        if (parent.child(name) != null) {
            throw new ImageException("Conflicting entries for " + path + " in the image: " + parent.child(name).origin
                    + " and " + node.origin + ". Rename or leave out one of them.");
        }
        parent.put(name, node);
    }

    private Node.Directory directoryAt(String path) throws ImageException {
        Node.Directory here = root;
        StringBuilder walked = new StringBuilder();
        for (String name : names(path)) {
            walked.append('/').append(name);
            Node child = here.child(name);
            if (child == null) {
                child = new Node.Directory(walked.toString(), DIRECTORY_PERMISSIONS, GENERATED);
                here.put(name, child);
            }
            if (!(child instanceof Node.Directory directory)) {
                throw new ImageException(path + " needs " + walked + " to be a directory, but it is a file or link ("
                        + child.origin + "). Rename or leave out one of them.");
            }
            here = directory;
        }
        return here;
    }

    private static String[] names(String path) throws ImageException {
        if (!path.startsWith("/")) {
            throw new ImageException("The image path '" + path + "' is not absolute. Start it with '/'.");
        }
        if (path.equals("/")) {
            return new String[0];
        }
        String[] names = path.substring(1).split("/", -1);
        for (String name : names) {
            checkName(path, name);
        }
        return names;
    }

    private static void checkName(String path, String name) throws ImageException {
        if (name.isEmpty() || name.equals(".") || name.equals("..") || name.indexOf('\0') >= 0) {
            throw new ImageException("The image path '" + path + "' has the component '" + name
                    + "'. Use an absolute path without empty names, '.', '..' and NUL.");
        }
        if (name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES) {
            throw new ImageException(
                    "The name of " + path + " is longer than " + MAX_NAME_BYTES + " bytes. Shorten it.");
        }
    }
}
