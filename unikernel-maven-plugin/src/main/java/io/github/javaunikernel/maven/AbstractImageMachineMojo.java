// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.Machine;
import io.github.javaunikernel.maven.boot.DataDisk;
import io.github.javaunikernel.maven.boot.InstanceEnvironment;
import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.MemoryFileSystem;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.boot.Reporting;
import io.github.javaunikernel.maven.boot.ScratchDisk;
import io.github.javaunikernel.maven.boot.Startup;
import io.github.javaunikernel.maven.boot.TimeSetting;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.maven.plugins.annotations.Parameter;

/** The parameters of the machine that an image is made for. */
abstract class AbstractImageMachineMojo extends AbstractImageRuntimeMojo {

    private static final int MAX_VCPUS = 64;

    /**
     * Environment variables that can be set from outside for a single start of the image: names such as {@code DB_URL},
     * and prefixes such as {@code DB_*}. They override those in {@code environment}. By default there are none, and no
     * external source is consulted. A prefix never covers variables that decide which code runs, such as
     * {@code LD_PRELOAD} or {@code JAVA_TOOL_OPTIONS}; to allow one of those, write its full name.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instanceEnvironment")
    private List<String> instanceEnvironment = List.of();

    /**
     * What one start of the image may switch on from outside, such as {@code trace,profile}, to show what it does on
     * its console: any of {@code trace} (system calls, by the variable {@code UNIKERNEL_TRACE}), {@code capture}
     * (packets with what is in them, {@code UNIKERNEL_CAPTURE}), {@code profile} ({@code UNIKERNEL_PROFILE}) and
     * {@code lockstat} ({@code UNIKERNEL_LOCKSTAT}). By default there are none. Whoever may set the variables, such as
     * the user data of the instance, can then read this on the console, or with {@code logTo} in the log.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instanceDiagnostics")
    private List<String> instanceDiagnostics = List.of();

    /**
     * Sources from which those variables may come: {@code user-data} of EC2, {@code host}, which is xenstore under Xen,
     * and the kernel's {@code command-line}. The default is all three. Leave out {@code user-data} if there is no
     * metadata service: looking for it adds most of a second to each start, and any host in the network that takes its
     * address can answer.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instanceSources")
    private List<String> instanceSources = List.of();

    /**
     * Whether the program may use EC2's instance metadata service at 169.254.169.254, as the AWS SDK does to get the
     * credentials of an instance's role. With {@code false} the kernel refuses every connection to it (EACCES), so that
     * a request forged through the program cannot reach credentials; {@code instanceEnvironment} still works.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instanceMetadata", defaultValue = "true")
    private boolean instanceMetadata;

    /**
     * Memory of the machine in MiB, 24 or more. The plugin derives the size of the heap from it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.memory", defaultValue = "256")
    private int memory;

    /**
     * Number of virtual CPUs of the machine, 1 to 64. The program runs on all of them.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.vcpus", defaultValue = "1")
    private int vcpus;

    /**
     * How the JVM divides the CPU between starting and compiling: {@code balanced} as the JVM does by itself, or
     * {@code fast}, with which the optimising compiler begins later: the start takes less CPU time, and the program
     * reaches its full speed later.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.startup", defaultValue = "balanced")
    private String startup;

    /**
     * How the guest gets its address: {@code dhcp}, {@code none} or {@code static 10.0.0.2/24 gateway 10.0.0.1 dns
     * 10.0.0.1,10.0.0.3 mtu 1500}, where everything after the address is optional.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.network", defaultValue = "dhcp")
    private String network;

    /**
     * Time servers that the guest's wall clock follows by SNTP: {@code auto}, {@code none}, or up to four host names or
     * addresses such as {@code 169.254.169.123} or {@code ntp.example.com,10.0.0.8}. The kernel looks names up; one
     * that stands for several addresses, such as a pool's, gives up to four servers. {@code auto} takes those that DHCP
     * names (option 42), or Amazon's 169.254.169.123 where the instance metadata service has answered; without either,
     * and with {@code none}, the clock is the host's.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.time", defaultValue = "auto")
    private String time;

    /**
     * Where the lines of the kernel's log and of the program's standard output and error go: {@code console}, a syslog
     * server as {@code syslog://logs.example.com:514} (UDP) or {@code syslog+tcp://10.0.0.5:514}, or both, as
     * {@code console,syslog://10.0.0.5}. The port is 514 if none is given. With a server the program never waits for
     * the console or the network; what cannot be sent is kept, up to 256 KiB, and then lost, which is reported. Without
     * {@code console} the console shows the kernel's lines only.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.logTo", defaultValue = "console")
    private String logTo;

    /**
     * TCP port on which the kernel serves metrics for Prometheus, at {@code /metrics}: CPU time, memory, network, disks
     * and TCP. 0 for none. Whoever reaches the port can read them. The program cannot listen on the same port.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.metricsPort", defaultValue = "0")
    private int metricsPort;

    /**
     * Host name of the guest, such as {@code shop-1}. The default is the artifact id, adapted to the characters and the
     * length of a host name.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.hostname")
    private String hostname;

    /**
     * Additional writable directories, each as {@code /path} or {@code /path 16m}, such as {@code /var/cache 16m}. They
     * are kept in memory and are empty at the start. {@code /tmp}, {@code /run}, {@code /var/tmp} and {@code /dev/shm}
     * are always writable, and so are the working directory {@code /app} and the home directory {@code /home}, which
     * start with the files that the image has in them. Everything else is read-only.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.tmpfs")
    private List<String> tmpfs = List.of();

    /**
     * A directory whose files lie on a second disk, as {@code /path} or {@code /path 4g}, such as {@code /var/spool
     * 4g}; the size is that of the disk which {@code unikernel:run}, {@code start}, {@code xl} and EC2 give the
     * machine, by default 1 GiB. The files may be larger than memory. They are lost when the machine ends, so the disk
     * is for caches, spools and temporary files. The kernel uses the first disk besides the image's that is empty or
     * was its scratch disk before, and never one that holds other data.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.scratch")
    private String scratch;

    /**
     * Directories whose files lie on disks of their own and outlive the machine, each as {@code LABEL /path},
     * {@code LABEL /path 4g} or {@code LABEL /path read-only}, such as {@code orders /orders 4g}. The kernel takes the
     * disk whose ext2 file system has that label, and does not start without it. {@code unikernel:run} and the other
     * goals that boot the image here use {@code LABEL.img} in {@code dataDirectory}, and make it with the size given,
     * by default 1 GiB, if there is none.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dataDisks")
    private List<String> dataDisks = List.of();

    /**
     * Directory with the files of data disks, for the configuration of {@code xl}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dataDirectory", defaultValue = "${project.basedir}/data")
    private File dataDirectory;

    /**
     * Absolute path of a socket on the Xen host, such as {@code /run/shop.channel}, by which {@code unikernel:dump},
     * {@code jcmd} and {@code trace} reach a domain that is made of {@code NAME.xl.cfg}. The default is none. Xen's
     * device model makes the socket, so each domain needs its own, and whoever may use it has the program.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.xlChannel")
    private String xlChannel;

    /**
     * Options of the guest kernel, separated by spaces: {@code quiet}, {@code verbose}, {@code timings},
     * {@code trace=all}, {@code trace=NAME,NAME}, {@code capture=BYTES}, {@code profile=HZ}, {@code mitigations=auto},
     * {@code mitigations=off}, {@code mitigations=on}, {@code ipv6=no}, {@code ipv6=random},
     * {@code ipv6=ADDRESS/PREFIX}, {@code lockstat=1}, {@code crash=keep}, {@code nokaslr} or {@code conf=PATH}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.kernelOptions", defaultValue = "quiet")
    private String kernelOptions;

    /** The machine that an image is made for. */
    final Machine machine() throws SettingException, IOException {
        if (vcpus < 1 || vcpus > MAX_VCPUS) {
            throw new SettingException(
                    "vcpus", vcpus + " virtual CPUs are not possible.", "Give 1 to " + MAX_VCPUS + ".");
        }
        List<MemoryFileSystem> fileSystems = new ArrayList<>();
        for (String text : tmpfs) {
            fileSystems.add(MemoryFileSystem.parse(text));
        }
        Optional<ScratchDisk> scratchDisk =
                scratch == null ? Optional.empty() : Optional.of(ScratchDisk.parse(scratch));
        List<DataDisk> disks = DataDisk.parse(dataDisks);
        Set<String> mounted = new HashSet<>();
        for (MemoryFileSystem fileSystem : fileSystems) {
            refuseSecond("tmpfs", fileSystem.path(), mounted);
        }
        if (scratchDisk.isPresent()) {
            refuseSecond("scratch", scratchDisk.get().path(), mounted);
        }
        for (DataDisk disk : disks) {
            refuseSecond("dataDisks", disk.path(), mounted);
        }
        NetworkSetting networkSetting = NetworkSetting.parse(network);
        return new Machine(
                memory,
                vcpus,
                Startup.parse(startup),
                hostname == null ? DnsLabel.near(project.getArtifactId()) : hostname,
                networkSetting,
                TimeSetting.parse(time),
                Reporting.parse(logTo, metricsPort, networkSetting),
                fileSystems,
                scratchDisk,
                disks,
                dataDirectory.toPath().toAbsolutePath(),
                KernelCommandLine.parse(kernelOptions),
                InstanceEnvironment.parse(instanceEnvironment, instanceDiagnostics, instanceSources),
                instanceMetadata,
                xlChannel());
    }

    private static void refuseSecond(String parameter, String path, Set<String> mounted) throws SettingException {
        if (!mounted.add(path)) {
            throw new SettingException(
                    parameter,
                    "Two of tmpfs, scratch and dataDisks are for the directory " + path
                            + ", and one would hide the other.",
                    "Give each a directory of its own.");
        }
    }

    /** xl.cfg(5) takes neither a comma nor a quote in a path, and a socket's has 107 bytes at most (unix(7)). */
    private Optional<Path> xlChannel() throws SettingException {
        if (xlChannel == null) {
            return Optional.empty();
        }
        if (!xlChannel.matches("/[^,\"'\\\\\\p{Cntrl}]+") || xlChannel.getBytes(StandardCharsets.UTF_8).length > 107) {
            throw new SettingException(
                    "xlChannel",
                    "'" + xlChannel + "' cannot be the path of a socket in the configuration for xl.",
                    "Give an absolute path of up to 107 bytes without commas and quotes, such as"
                            + " /run/guests/shop.channel.");
        }
        return Optional.of(Path.of(xlChannel));
    }

    @Override
    Map<String, Boolean> javaParameters() throws SettingException {
        Map<String, Boolean> given = super.javaParameters();
        given.put("startup", !startup.equals("balanced"));
        return given;
    }
}
