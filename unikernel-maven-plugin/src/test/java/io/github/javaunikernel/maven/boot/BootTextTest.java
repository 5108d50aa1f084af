// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BootTextTest {

    @Test
    void guestConfigEscapesValues() throws Exception {
        String text = new GuestConfig("/jvm/bin/java")
                .argument("-Dpath=C:\\temp")
                .argument("two\nlines")
                .argument("")
                .argument(" # no comment ")
                .variable("NAME", "a=b")
                .directory("/app")
                .hostName("web-1")
                .network(NetworkSetting.parse("dhcp"))
                .time(TimeSetting.parse(" 10.0.0.7 , 10.0.0.8 "))
                .reporting(
                        Reporting.parse(
                                "console, syslog+tcp://logs.example.com:6514", 9100, NetworkSetting.parse("dhcp")),
                        "shop")
                .memoryFileSystem(MemoryFileSystem.parse("/var/cache 16m"))
                .instanceEnvironment(InstanceEnvironment.parse(
                        List.of("DB_*", "PORT", "PORT"), List.of("profile", "trace"), List.of("host")))
                .noInstanceMetadata()
                .text();
        assertEquals("""
                exec /jvm/bin/java
                arg -Dpath=C:\\\\temp
                arg two\\nlines
                arg\s
                arg  # no comment\s
                env NAME=a=b
                cwd /app
                hostname web-1
                network dhcp
                time 10.0.0.7,10.0.0.8
                application shop
                log console,syslog+tcp://logs.example.com:6514
                metrics 9100
                tmpfs /var/cache 16777216
                allow DB_*
                allow PORT
                diagnostics profile trace
                sources host
                instance-metadata no
                """, text);
    }

    @Test
    void nothingIsAllowedFromOutsideUnlessNamed() throws Exception {
        assertEquals(
                "exec x\n",
                new GuestConfig("x")
                        .instanceEnvironment(InstanceEnvironment.NONE)
                        .text());
        assertEquals(InstanceEnvironment.NONE, InstanceEnvironment.parse(List.of(), List.of(), List.of()));
        assertEquals(
                "exec x\nallow JAVA_TOOL_OPTIONS\nallow L*\n",
                new GuestConfig("x")
                        .instanceEnvironment(
                                InstanceEnvironment.parse(List.of("JAVA_TOOL_OPTIONS", "L*"), List.of(), List.of()))
                        .text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "*", "DB-URL", "DB_*_URL", "1ST", "A=B", "A B", "Ä"})
    void badPatternsAreRefused(String pattern) {
        assertRefused(
                "instanceEnvironment",
                "'" + pattern + "' names no variables",
                () -> InstanceEnvironment.parse(List.of("GOOD", pattern), List.of(), List.of()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"LD_*", "LD_PRE*", "_JAVA_*", "JDK_JAVA_OPTIONS*", "MALLOC_A*"})
    void prefixesOfWhatSteersTheJvmAreRefused(String pattern) {
        assertRefused(
                "instanceEnvironment",
                "'" + pattern + "' covers variables that decide which code runs",
                () -> InstanceEnvironment.parse(List.of(pattern), List.of(), List.of()));
    }

    @Test
    void badSourcesAreRefused() {
        assertRefused(
                "instanceSources",
                "'xenstore' is not a source",
                () -> InstanceEnvironment.parse(List.of("A"), List.of(), List.of("xenstore")));
        assertRefused(
                "instanceSources",
                "no variable is allowed",
                () -> InstanceEnvironment.parse(List.of(), List.of(), List.of("host")));
    }

    @Test
    void diagnosticsAreOffUnlessNamed() throws Exception {
        assertEquals(
                "exec x\ndiagnostics lockstat capture\nsources user-data\n",
                new GuestConfig("x")
                        .instanceEnvironment(InstanceEnvironment.parse(
                                List.of(), List.of("lockstat", "capture"), List.of("user-data")))
                        .text());
        assertRefused(
                "instanceDiagnostics",
                "'core' cannot be switched on from outside",
                () -> InstanceEnvironment.parse(List.of("A"), List.of("trace", "core"), List.of()));
    }

    @Test
    void timeComesFromServersOrTheHost() throws Exception {
        assertEquals("auto", TimeSetting.parse("auto ").text());
        assertEquals("none", TimeSetting.parse("none").text());
        assertEquals(
                "10.0.0.7,pool.example.com",
                TimeSetting.parse("10.0.0.7, pool.example.com").text());
        assertRefused("time", "names 5 servers", () -> TimeSetting.parse("1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10.0.0.256", "10.0.0", "a..b", "ä", "a b", "ntp://a", "a:123", "::1"})
    void whatIsNoHostIsNoTimeServer(String server) {
        assertRefused(
                "time",
                "'" + server + "' in the time setting is neither a host name nor an IPv4 address.",
                () -> TimeSetting.parse("10.0.0.7," + server));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "syslog://10.0.0.5",
                "syslog://10.0.0.5:5514",
                "syslog+tcp://logs.example.com:65535",
                "syslog://log_host-1",
                "console,syslog+tcp://logs.example.com"
            })
    void logsAreSentToServers(String setting) throws Exception {
        assertEquals(setting, LogSetting.parse(setting).text());
        assertTrue(LogSetting.parse(setting).isSent());
    }

    @Test
    void theLogStaysOnTheConsoleByDefault() throws Exception {
        assertFalse(LogSetting.parse(" console ").isSent());
        Reporting nothing = Reporting.parse("console", 0, NetworkSetting.parse("none"));
        assertEquals("exec x\n", new GuestConfig("x").reporting(nothing, "shop").text());
        assertEquals(
                "console,syslog://h",
                LogSetting.parse("console , syslog://h , console").text());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''                                     | '' in the logTo setting is not a place for a log.
            file                                   | 'file' in the logTo setting is not a place for a log.
            tcp://h                                | 'tcp://h' in the logTo setting is not a place for a log.
            syslog://h/path                        | 'syslog://h/path' in the logTo setting is not a place for a log.
            syslog://h:x                           | 'syslog://h:x' in the logTo setting is not a place for a log.
            syslog://h:0                           | The port 0 in the logTo setting does not exist.
            syslog://h:65536                       | The port 65536 in the logTo setting does not exist.
            syslog://                              | '' in the logTo setting is neither a host name nor an IPv4 address.
            syslog://10.0.0.256                    | '10.0.0.256' in the logTo setting is neither a host name nor
            syslog://a..b                          | 'a..b' in the logTo setting is neither a host name nor
            syslog://ä                             | 'ä' in the logTo setting is neither a host name nor
            syslog://a,syslog+tcp://b              | The logTo setting names 2 servers.
            """)
    void otherPlacesForTheLogAreRefused(String setting, String words) {
        assertRefused("logTo", words, () -> LogSetting.parse(setting));
    }

    @Test
    void whatGoesOverTheNetworkNeedsOne() throws Exception {
        NetworkSetting none = NetworkSetting.parse("none");
        NetworkSetting dhcp = NetworkSetting.parse("dhcp");
        assertRefused("logTo", "since the network is 'none'", () -> Reporting.parse("syslog://h", 0, none));
        assertRefused("metricsPort", "since the network is 'none'", () -> Reporting.parse("console", 9100, none));
        assertRefused("metricsPort", "-1 is not a port.", () -> Reporting.parse("console", -1, dhcp));
        assertRefused("metricsPort", "65536 is not a port.", () -> Reporting.parse("console", 65536, dhcp));
        assertEquals(65535, Reporting.parse("console", 65535, dhcp).metricsPort());
    }

    @Test
    void grubMenuIsWhatPvGrubReads() throws Exception {
        assertEquals(
                "default 0\ntimeout 0\ntitle app\nroot (hd0)\nkernel /boot/unikernel quiet timings\n",
                GrubMenu.text("app", "/boot/unikernel", KernelCommandLine.parse(" quiet   timings ")));
    }

    @Test
    void xenConfigQuotesPaths() throws Exception {
        String text = new XenConfig(
                        "app",
                        Path.of("/my \"own\"/a\\b.kernel"),
                        Path.of("/two\nlines.img"),
                        KernelCommandLine.parse("quiet"),
                        64,
                        1,
                        NetworkSetting.parse("dhcp"),
                        Optional.empty(),
                        List.of(),
                        Path.of("/d"),
                        Optional.empty())
                .text();
        assertTrue(text.contains("kernel = \"/my \\\"own\\\"/a\\\\b.kernel\"\n"), text);
        assertTrue(text.contains("target=/two\\nlines.img\""), text);
    }

    @Test
    void xenConfigBootsTheKernelDirectly() throws Exception {
        String text = new XenConfig(
                        "app",
                        Path.of("/t/app.kernel"),
                        Path.of("/t/app.img"),
                        KernelCommandLine.parse("quiet"),
                        64,
                        2,
                        NetworkSetting.parse("dhcp"),
                        Optional.of(Path.of("/t/app.scratch.img")),
                        List.of(),
                        Path.of("/d"),
                        Optional.of(Path.of("/run/app.channel")))
                .text();
        assertTrue(text.contains("kernel = \"/t/app.kernel\"\nextra = \"quiet\"\nmemory = 64\nvcpus = 2\n"), text);
        assertTrue(
                text.contains("disk = [ \"format=raw, vdev=xvda, access=ro, target=/t/app.img\", "
                        + "\"format=raw, vdev=xvdb, access=rw, target=/t/app.scratch.img\" ]\n"),
                text);
        assertTrue(text.contains("vif = [ \"\" ]\n"), text);
        assertTrue(
                text.contains("\nchannel = [ \"name=unused,connection=pty\", "
                        + "\"name=unikernel,connection=socket,path=/run/app.channel\" ]\n"),
                text);
        assertTrue(text.endsWith("on_crash = \"destroy\"\n"), text);
        String unconnected = new XenConfig(
                        "app",
                        Path.of("/k"),
                        Path.of("/i"),
                        KernelCommandLine.parse("crash=keep"),
                        64,
                        1,
                        NetworkSetting.parse("none"),
                        Optional.empty(),
                        DataDisk.parse(List.of("orders /app/data 4g", "prices /prices read-only")),
                        Path.of("/d"),
                        Optional.empty())
                .text();
        assertTrue(unconnected.contains("""
                        # /d/orders.img is for one domain; to make it: mke2fs -t ext2 -L orders FILE SIZE
                        # /d/prices.img is for reading; to make it: mke2fs -t ext2 -L prices FILE SIZE
                        disk = [ "format=raw, vdev=xvda, access=ro, target=/i", \
                        "format=raw, vdev=xvdc, access=rw, target=/d/orders.img", \
                        "format=raw, vdev=xvdd, access=ro, target=/d/prices.img" ]
                        """), unconnected);
        assertTrue(unconnected.contains("vif = [  ]\n"), unconnected);
        assertFalse(unconnected.contains("channel"), unconnected);
        assertTrue(unconnected.endsWith("on_crash = \"preserve\"\n"), unconnected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "dhcp",
                "none",
                "static 10.0.0.2/24",
                "static 10.0.1.0/22",
                "static 223.255.255.254/8",
                "static 10.0.0.2/24 gateway 10.0.0.1",
                "static 192.168.1.2/30 gateway 192.168.1.1 dns 8.8.8.8,1.1.1.1 mtu 9000"
            })
    void goodNetworksAreKept(String setting) throws Exception {
        assertEquals(setting, NetworkSetting.parse(setting).text());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            dhcp 10.0.0.1                                  | there is more after 'dhcp'
            auto                                           | 'auto' is not a way to get an address
            static                                         | the address is missing
            static 10.0.0.2                                | '10.0.0.2' is not an address with a prefix length
            static 10.0.0.256/24                           | '10.0.0.256' is not an IPv4 address
            static 10.0.0.02/24                            | '10.0.0.02' is not an IPv4 address
            static 10.0.2/24                               | '10.0.2' is not an IPv4 address
            static 10.0.0.2/31                             | '31' is not a number from 1 to 30
            static 10.0.0.2/24 gateway                     | 'gateway' has no value
            static 10.0.0.2/24 dns 10.0.0.3 dns 10.0.0.4   | 'dns' is there twice
            static 10.0.0.2/24 dns 8.8.8.8,8.8.4.4,1.1.1.1,9.9.9.9 | it names more than 3 name servers
            static 10.0.0.2/24 gateway 10.0.1.1            | the gateway 10.0.1.1 is not in the network
            static 10.0.0.2/24 gateway 10.0.0.2            | the gateway has the address of the guest
            static 10.0.0.2/24 dns 8.8.8.8,                | '' is not an IPv4 address
            static 10.0.0.0/24                             | the address 10.0.0.0 is that of the network itself
            static 10.0.0.255/24                           | the address 10.0.0.255 is the one for broadcasts
            static 10.0.3.255/22                           | the address 10.0.3.255 is the one for broadcasts
            static 10.0.0.3/30                             | the address 10.0.0.3 is the one for broadcasts
            static 0.0.0.1/24                              | the address 0.0.0.1 cannot be that of a host in a network
            static 127.0.0.2/24                            | the address 127.0.0.2 cannot be that of a host in a network
            static 224.0.0.5/24                            | the address 224.0.0.5 cannot be that of a host in a network
            static 255.255.255.254/24                      | the address 255.255.255.254 cannot be that of a host
            static 10.0.0.2/24 gateway 10.0.0.0            | the gateway 10.0.0.0 is that of the network itself
            static 10.0.0.2/24 gateway 10.0.0.255          | the gateway 10.0.0.255 is the one for broadcasts
            static 10.0.0.2/24 mtu 20                      | '20' is not a number from 576 to 65535
            static 10.0.0.2/24 router 10.0.0.1             | 'router' is not known
            """)
    void badNetworksAreRefused(String setting, String words) {
        assertRefused("network", words, () -> NetworkSetting.parse(setting));
    }

    @Test
    void badKernelOptionsAreRefused() throws Exception {
        assertRefused("kernelOptions", "has no option 'quite'", () -> KernelCommandLine.parse("quite"));
        assertRefused("kernelOptions", "has no option 'speed=1'", () -> KernelCommandLine.parse("speed=1"));
        assertRefused(
                "kernelOptions", "has no option 'conf=other.conf'", () -> KernelCommandLine.parse("conf=other.conf"));
        assertRefused(
                "kernelOptions",
                "There is no system call and no error 'opnat' to trace.",
                () -> KernelCommandLine.parse("trace=read,opnat"));
        assertRefused(
                "kernelOptions",
                "There is no system call and no error '' to trace.",
                () -> KernelCommandLine.parse("trace=read,"));
        assertRefused("kernelOptions", "has no option 'trace='", () -> KernelCommandLine.parse("trace="));
        assertEquals(
                "trace=read,epoll_wait,ENOPROTOOPT",
                KernelCommandLine.parse("trace=read,epoll_wait,ENOPROTOOPT").text());
        assertEquals(
                Optional.of("/b"), KernelCommandLine.parse("conf=/a conf=/b").configuration());
        assertEquals(Optional.empty(), KernelCommandLine.parse("quiet").configuration());
        assertRefused("kernelOptions", "characters that boot loaders", () -> KernelCommandLine.parse("trace=\"a\""));
        String longest = "conf=/" + "x".repeat(976 - 6);
        assertEquals(longest, KernelCommandLine.parse(longest).text());
        assertRefused(
                "kernelOptions",
                "has 977 bytes; at most 976 are possible",
                () -> KernelCommandLine.parse(longest + "x"));
    }

    @Test
    void badNamesAreRefused() {
        assertRefused("hostname", "'-x' cannot be", () -> new GuestConfig("x").hostName("-x"));
        assertRefused("hostname", "cannot be a host name", () -> new GuestConfig("x").hostName("x".repeat(64)));
        assertRefused("environment", "'A B' cannot be", () -> new GuestConfig("x").variable("A B", ""));
        assertRefused("environment", "cannot be the name", () -> new GuestConfig("x").variable("A\0B", ""));
        assertRefused("tmpfs", "'cache' is not a directory", () -> MemoryFileSystem.parse("cache"));
        assertRefused("tmpfs", "'/cache 5x' is not a directory", () -> MemoryFileSystem.parse("/cache 5x"));
        assertRefused("tmpfs", "'/cache -5m' is not a directory", () -> MemoryFileSystem.parse("/cache -5m"));
    }

    @Test
    void scratchDisks() throws Exception {
        assertEquals(new ScratchDisk("/scratch", 1L << 30), ScratchDisk.parse("/scratch"));
        assertEquals(new ScratchDisk("/var/spool", 20L << 30), ScratchDisk.parse(" /var/spool  20g "));
        assertEquals(
                "exec x\nscratch /scratch\n",
                new GuestConfig("x").scratch(ScratchDisk.parse("/scratch 3m")).text());
        assertRefused("scratch", "'scratch' is not a scratch disk", () -> ScratchDisk.parse("scratch"));
        assertRefused("scratch", "would hide files", () -> ScratchDisk.parse("/etc 1g"));
        assertRefused("scratch", "is smaller than any scratch disk", () -> ScratchDisk.parse("/scratch 5k"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/app",
                "/app/",
                "/app/lib",
                "/jvm",
                "/jvm/lib",
                "/proc",
                "/proc/x",
                "/dev",
                "/dev/shm",
                "/sys",
                "/etc",
                "/lib",
                "/lib64",
                "/usr",
                "/usr/lib"
            })
    void directoriesInMemoryThatHideWhatAStartNeedsAreRefused(String path) {
        String named = path.equals("/app/") ? "/app" : path;
        assertRefused(
                "tmpfs",
                "A directory in memory at " + named + " would hide files",
                () -> MemoryFileSystem.parse(path + " 16m"));
    }

    /** With such names, /app/../jvm would hide the JVM, and the image could not have the directory. */
    @ParameterizedTest
    @ValueSource(strings = {"/app/../jvm", "/./jvm", "//jvm", "/var//cache", "/var/..", "/a/.", "LONG"})
    void pathsOfDirectoriesInMemoryAreWhatTheySeem(String path) {
        String real = path.replace("LONG", "/" + "x".repeat(256));
        assertRefused(
                "tmpfs",
                "'" + real + "' is not the path of a directory in memory",
                () -> MemoryFileSystem.parse(real + " 16m"));
        assertRefused("scratch", "is not the path of a scratch disk", () -> ScratchDisk.parse(real));
        assertRefused("dataDisks", "is not the path of a data disk", () -> DataDisk.parse(List.of("a " + real)));
    }

    @Test
    void aConfigurationIsAsLongAsTheKernelReads() throws Exception {
        int most = (256 << 10) - 2 - "exec x\narg \n".length();
        assertEquals(
                (256 << 10) - 2,
                new GuestConfig("x")
                        .argument("a".repeat(most))
                        .checkSize()
                        .text()
                        .length());
        assertRefused(
                "arguments",
                "and the kernel reads 262142",
                () -> new GuestConfig("x").argument("a".repeat(most + 1)).checkSize());
    }

    @Test
    void otherDirectoriesInMemoryAreKept() throws Exception {
        for (String path :
                List.of("/app/data", "/app/library", "/jvmdata", "/etc/app", "/usr/share/x", "/var", "/home")) {
            assertEquals(path, MemoryFileSystem.parse(path).text());
            assertEquals(path, MemoryFileSystem.parse(path + "/").text());
        }
        assertEquals(1L << 44, MemoryFileSystem.parse("/a 16384g").limit());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a 0", "/a 0g", "/a 16385g", "/a 999999999999g"})
    void sizesThatNoDirectoryHasAreRefused(String text) {
        assertRefused(
                "tmpfs",
                "'" + text + "' has a size that no directory in memory can have",
                () -> MemoryFileSystem.parse(text));
    }

    @ParameterizedTest
    @CsvSource({"24, 8", "32, 8", "63, 15", "64, 16", "128, 54", "256, 131", "1024, 592", "4096, 3584"})
    void heapLeavesRoomForTheRest(int memory, int heap) throws Exception {
        assertEquals(
                "-Xmx" + heap + "m",
                JvmOptions.forMachine(memory, 1, Startup.BALANCED, GivenOptions.NONE)
                        .get(0));
    }

    @Test
    void onlyTheSmallestMachinesGetASmallYoungGeneration() throws Exception {
        assertTrue(JvmOptions.forMachine(31, 1, Startup.BALANCED, GivenOptions.NONE)
                .contains("-Xmn1m"));
        assertFalse(JvmOptions.forMachine(32, 1, Startup.BALANCED, GivenOptions.NONE)
                .contains("-Xmn1m"));
        GivenOptions own = GivenOptions.of(List.of("-XX:NewRatio=3"), Map.of(), Map.of());
        assertFalse(JvmOptions.forMachine(24, 1, Startup.BALANCED, own).contains("-Xmn1m"));
    }

    @Test
    void smallMachinesGetTheSmallCollectorAndCompiler() throws Exception {
        List<String> small = JvmOptions.forMachine(128, 1, Startup.BALANCED, GivenOptions.NONE);
        assertTrue(small.contains("-XX:+UseSerialGC") && small.contains("-XX:TieredStopAtLevel=1"), small.toString());
        List<String> large = JvmOptions.forMachine(2048, 2, Startup.BALANCED, GivenOptions.NONE);
        assertFalse(large.contains("-XX:+UseSerialGC") || large.contains("-XX:TieredStopAtLevel=1"), large.toString());
        assertTrue(JvmOptions.forMachine(2048, 1, Startup.BALANCED, GivenOptions.NONE)
                .contains("-XX:+UseSerialGC"));
        assertRefused(
                "memory",
                "-1 MiB are too little",
                () -> JvmOptions.forMachine(-1, 1, Startup.BALANCED, GivenOptions.NONE));
        assertRefused(
                "memory",
                "2147483647 MiB are more than any machine has",
                () -> JvmOptions.forMachine(Integer.MAX_VALUE, 1, Startup.BALANCED, GivenOptions.NONE));
        assertRefused(
                "memory",
                "23 MiB are too little",
                () -> JvmOptions.forMachine(23, 1, Startup.BALANCED, GivenOptions.NONE));
    }

    @Test
    void aFastStartDelaysTheOptimisingCompiler() throws Exception {
        List<String> fast = new ArrayList<>(JvmOptions.forMachine(256, 1, Startup.parse("fast"), GivenOptions.NONE));
        fast.removeAll(JvmOptions.forMachine(256, 1, Startup.parse("balanced"), GivenOptions.NONE));
        assertEquals(
                List.of(
                        "-XX:Tier4BackEdgeThreshold=120000",
                        "-XX:Tier4CompileThreshold=60000",
                        "-XX:Tier4InvocationThreshold=20000",
                        "-XX:Tier4MinInvocationThreshold=5000"),
                fast);
        GivenOptions own = GivenOptions.of(List.of("-XX:Tier4CompileThreshold=9000"), Map.of(), Map.of());
        assertFalse(JvmOptions.forMachine(256, 1, Startup.FAST, own).contains("-XX:Tier4CompileThreshold=60000"));
        assertRefused("startup", "'quick' is not a way to start.", () -> Startup.parse("quick"));
    }

    @Test
    void classDataAreMappedAtAFixedAddressOnRequest() throws Exception {
        assertEquals(List.of(), ClassDataAddress.parse("random").options(GivenOptions.NONE));
        assertEquals(
                List.of("-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0"),
                ClassDataAddress.parse("fixed").options(GivenOptions.NONE));
        GivenOptions own = GivenOptions.of(List.of("-XX:ArchiveRelocationMode=2"), Map.of(), Map.of());
        assertEquals(List.of(), ClassDataAddress.FIXED.options(own));
        assertRefused("cdsAddress", "'0' is not an address of class data.", () -> ClassDataAddress.parse("0"));
    }

    @Test
    void whatTheUserDecidesIsNotDecidedTwice() throws Exception {
        for (String collector : List.of(
                "-XX:+UseG1GC",
                "-XX:+UseZGC",
                "-XX:+UseShenandoahGC",
                "-XX:+UseParallelGC",
                "-XX:+UseSerialGC",
                "-XX:-UseSerialGC",
                "-XX:+UseEpsilonGC")) {
            assertLeftOut("-XX:+UseSerialGC", List.of(collector), Map.of());
            for (String variable : List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")) {
                assertLeftOut("-XX:+UseSerialGC", List.of(), Map.of(variable, "-Da='b c' " + collector));
            }
        }
        for (String heap : List.of("-Xmx80m", "-XX:MaxHeapSize=80m", "-XX:MaxRAMPercentage=50")) {
            assertLeftOut("-Xmx54m", List.of(heap), Map.of());
            assertLeftOut("-Xmx54m", List.of(), Map.of("JAVA_TOOL_OPTIONS", heap));
        }
        assertLeftOut("-XX:TieredStopAtLevel=1", List.of("-XX:-TieredCompilation"), Map.of());
        assertLeftOut("-Dfile.encoding=UTF-8", List.of(), Map.of("JAVA_TOOL_OPTIONS", "-Dfile.encoding=COMPAT"));
        assertLeftOut("-XX:+ErrorFileToStderr", List.of("-XX:ErrorFile=/tmp/e"), Map.of());
        GivenOptions others = GivenOptions.of(
                List.of("-XX:+UseStringDeduplication"), Map.of("a", "b"), Map.of("OPTIONS", "-XX:+UseG1GC"));
        assertTrue(JvmOptions.forMachine(128, 1, Startup.BALANCED, others).contains("-XX:+UseSerialGC"));
    }

    private static void assertLeftOut(String option, List<String> arguments, Map<String, String> environment)
            throws Exception {
        GivenOptions given = GivenOptions.of(arguments, Map.of(), environment);
        List<String> options = JvmOptions.forMachine(128, 1, Startup.BALANCED, given);
        List<String> all = JvmOptions.forMachine(128, 1, Startup.BALANCED, GivenOptions.NONE);
        assertEquals(all.size() - 1, options.size(), options.toString());
        assertFalse(options.contains(option), options.toString());
    }

    @Test
    void optionsInVariablesAreWordsWithQuotes() {
        assertEquals(
                List.of("-Da=b c", "-Xmx1g", "", "-De=f"), GivenOptions.words(" -Da=\"b c\"  -Xmx1g '' -D'e'=f\n"));
        assertEquals(
                List.of("1", "2", "3", "-Da=b", "4"),
                GivenOptions.of(
                                List.of("3"),
                                Map.of("a", "b"),
                                Map.of(
                                        "_JAVA_OPTIONS",
                                        "4",
                                        "JDK_JAVA_OPTIONS",
                                        "2",
                                        "JAVA_TOOL_OPTIONS",
                                        "1",
                                        "X",
                                        "y"))
                        .all());
    }

    private static void assertRefused(String parameter, String words, Executable call) {
        SettingException refused = assertThrows(SettingException.class, call);
        assertEquals(parameter, refused.parameter());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
        assertTrue(refused.getMessage().contains("-Dunikernel." + parameter), refused.getMessage());
    }
}
