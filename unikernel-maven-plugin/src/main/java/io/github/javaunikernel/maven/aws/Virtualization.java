// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The two kinds of machine image for 64-bit machines; one file system serves both. */
public enum Virtualization {
    /** What every type of the current generations runs: a BIOS loads the boot sector. */
    HVM("hvm", "gp3"),
    /** What only types of the previous generation run: PV-GRUB loads the kernel from the file system. */
    PARAVIRTUAL("paravirtual", "gp2");

    /** The kind that is made when none is asked for. */
    public static final String DEFAULT = "hvm";

    private final String id;
    private final String volumeType;

    Virtualization(String id, String volumeType) {
        this.id = id;
        this.volumeType = volumeType;
    }

    /** EC2's name of the kind, and the user's. */
    public String id() {
        return id;
    }

    /** EBS volume type for the root device; it is not confirmed that types of the previous generation take gp3. */
    String volumeType() {
        return volumeType;
    }

    /**
     * Reads names as the user writes them.
     *
     * @return each kind once, in the order given
     * @throws CloudException for a name that there is not, and for none
     */
    public static List<Virtualization> parse(List<String> names) throws CloudException {
        List<Virtualization> kinds = new ArrayList<>();
        for (String name : names) {
            kinds.add(Arrays.stream(values())
                    .filter(kind -> kind.id.equals(name.strip()))
                    .findFirst()
                    .orElseThrow(() -> new CloudException(
                            CloudSetting.VIRTUALIZATION,
                            "\"" + name + "\" is not a kind of machine image.",
                            choices())));
        }
        if (kinds.isEmpty()) {
            throw new CloudException(CloudSetting.VIRTUALIZATION, "No kind of machine image is named.", choices());
        }
        return kinds.stream().distinct().toList();
    }

    private static String choices() {
        return Arrays.stream(values())
                .map(Virtualization::id)
                .collect(Collectors.joining(" or ", "Give ", ", or both with a comma between them."));
    }
}
