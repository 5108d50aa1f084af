// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.DataDisk;
import io.github.javaunikernel.maven.boot.InstanceEnvironment;
import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.MemoryFileSystem;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.boot.Reporting;
import io.github.javaunikernel.maven.boot.ScratchDisk;
import io.github.javaunikernel.maven.boot.Startup;
import io.github.javaunikernel.maven.boot.TimeSetting;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The machine an image is made for.
 *
 * @param memory in MiB
 * @param startup how the JVM divides its first seconds between starting and compiling
 * @param dataDirectory of this machine, with the files of data disks
 * @param instanceMetadata whether the program may ask the instance metadata service
 * @param xlChannel socket of the host's channel in the configuration for {@code xl}
 */
public record Machine(
        int memory,
        int vcpus,
        Startup startup,
        String hostName,
        NetworkSetting network,
        TimeSetting time,
        Reporting reporting,
        List<MemoryFileSystem> memoryFileSystems,
        Optional<ScratchDisk> scratch,
        List<DataDisk> dataDisks,
        Path dataDirectory,
        KernelCommandLine commandLine,
        InstanceEnvironment instanceEnvironment,
        boolean instanceMetadata,
        Optional<Path> xlChannel) {}
