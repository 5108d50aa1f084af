import io.github.javaunikernel.maven.invoked.Machines
import javax.management.ObjectName
import javax.management.remote.JMXConnector
import javax.management.remote.JMXConnectorFactory
import javax.management.remote.JMXServiceURL

// What needs Maven as a process of its own: signals, two builds at once, programs on the PATH.

class Build {
    Process process
    StringBuilder text = new StringBuilder()

    /** Reads on until the pattern is in what is read from now on; returns its first group, if it has one. */
    String await(String pattern) {
        def read = new StringBuilder()
        for (def c = process.inputReader().read(); c >= 0; c = process.inputReader().read()) {
            text.append((char) c)
            read.append((char) c)
            def found = read =~ pattern
            if (found.find()) {
                return found.groupCount() ? found.group(1) : null
            }
        }
        assert false : "no '${pattern}' in:\n${text}"
    }

    /** Reads to the end; returns the exit status. */
    int end() {
        text.append(process.inputReader().text)
        process.waitFor()
    }

    /** As the terminal does on Ctrl-C. */
    void interrupt() {
        assert new ProcessBuilder('sh', '-c', "kill -INT -${process.pid()}").inheritIO().start().waitFor() == 0
    }

    String output() {
        text.toString()
    }
}

image = new File(basedir, 'target/running-1.img').path
settings = new File(basedir.parentFile, 'interpolated-settings.xml')

build = { Map<String, String> environment, String... words ->
    // A session of its own takes signals as on a terminal of its own; nothing outlives this script.
    def command = ['setsid', 'setpriv', '--pdeathsig', 'KILL', 'env', '--default-signal=INT',
            System.getProperty('maven.home') + '/bin/mvn', '-o', '-B', '-s', settings.path, '-Dmaven.repo.local=' + localRepositoryPath, '-Dstyle.color=never']
    command.addAll(words)
    def builder = new ProcessBuilder(command).directory(basedir).redirectErrorStream(true)
    builder.environment().putAll(environment)
    def process = builder.start()
    process.outputStream.close()
    new Build(process: process)
}

answers = { String url -> new URL(url + 'health').openConnection().responseCode == 204 }

def ctrlCShutsTheGuestDown() {
    def run = build([:], 'unikernel:run-no-fork', '-Dunikernel.hostPorts=0')
    def url = run.await(/(\S+) is forwarded to port 8080 of the guest/)
    run.await('Here I am')
    assert answers(url)
    run.interrupt()
    assert run.end() == 0
    assert run.output().contains('Shutting down; Ctrl-C again')
    assert run.output().contains('The hook has run\nunikernel: exit status=143\n')
    assert run.output().contains('Listening ')
    Machines.awaitNone(image)
}

def theBiosBootsTheImage() {
    def run = build([:], 'unikernel:run-no-fork', '-Dunikernel.hostPorts=0', '-Dunikernel.firmware=bios')
    def url = run.await(/(\S+) is forwarded to port 8080 of the guest/)
    run.await('Here I am')
    assert answers(url)
    def qemu = Machines.with(image).collect { it.info().commandLine().get() }.findAll { it.contains('virtio-blk-pci') }
    assert !qemu.isEmpty() && qemu.every { !it.contains(' -kernel ') }
    run.interrupt()
    assert run.end() == 0 : run.output()
}

def theGuestEndsWithAKilledMaven() {
    def run = build([:], 'unikernel:run-no-fork', '-Dunikernel.hostPorts=0')
    run.await('Here I am')
    assert !Machines.with(image).isEmpty()
    run.process.destroyForcibly()
    Machines.awaitNone(image)
}

def buildsSideBySide() {
    def builds = (1..2).collect { build([:], 'unikernel:start', 'unikernel:stop', '-Dunikernel.imageName=running-1') }
    def urls = builds.collect { it.await(/Ready after \S+ s at (\S+);/) }
    assert urls[0] != urls[1]
    builds.each { assert it.end() == 0 : it.output() }
    builds.each { assert it.output().contains('[INFO] Stopped') }
    Machines.awaitNone(image)
}

def theBuildFailsWithTheProgram() {
    def run = build([:], 'package', 'unikernel:run', '-Dunikernel.imageName=failing', '-Dunikernel.arguments=3',
            '-Dunikernel.hostPorts=0')
    assert run.end() == 1
    assert run.output().contains('The program in the guest ended with status 3.')
    assert run.output().contains('  | I cannot go on')
}

/** The program of the image before prints what the kernel does when all is well; nothing follows from that. */
def theProgramCannotSpeakForTheKernel() {
    def run = build([:], 'unikernel:start', '-Dunikernel.imageName=failing', '-Dunikernel.healthPath=none')
    assert run.end() == 1
    assert !run.output().contains('Ready after')
    assert run.output().contains('The program in the guest ended with status 3.')
    assert new File(basedir, 'target/failing.console.log').text.contains('unikernel: timing listen=1\nunikernel: exit status=0\n')
}

def aPanicIsSeenAtOnce() {
    def run = build([:], 'package', 'unikernel:start', '-Dunikernel.imageName=panicking', '-Dunikernel.kernelOptions=conf=/etc/passwd')
    assert run.end() == 1
    assert run.output().contains('The guest kernel panicked.')
    assert run.output().contains('/etc/passwd line 1 ')
}

def aDebuggerCanAttach() {
    def run = build([:], 'package', 'unikernel:run-no-fork', '-Dunikernel.imageName=debugged', '-Dunikernel.debug=0',
            '-Dunikernel.hostPorts=0')
    def port = run.await(/Attach the debugger to localhost:(\d+)\s/) as int
    run.await('Here I am')
    // The first words of the protocol, which the agent gives back (Java Debug Wire Protocol, "JDWP Handshake").
    new Socket('127.0.0.1', port).withCloseable {
        it.outputStream << 'JDWP-Handshake'
        assert new String(it.inputStream.readNBytes(14)) == 'JDWP-Handshake'
    }
    run.interrupt()
    assert run.end() == 0 : run.output()
}

def aTakenPortIsAnError() {
    def taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())
    try {
        def run = build([:], 'unikernel:run-no-fork', "-Dunikernel.hostPorts=${taken.localPort}")
        assert run.end() == 1
        assert run.output().contains("Port ${taken.localPort} of this machine is in use, or you may not use it."
                + ' [parameter hostPorts, -Dunikernel.hostPorts] End the program that uses it')
        Machines.awaitNone(image)
    } finally {
        taken.close()
    }
}

def badInputIsAnError() {
    [['-Dunikernel.imageName=other', 'other.img. [parameter imageName, -Dunikernel.imageName] Make the image first'],
     ['-Dunikernel.memory=16', '16 MiB are too little for a JVM. [parameter memory'],
     ['-Dunikernel.qemu=/bin/true', '/bin/true is not QEMU. [parameter qemu'],
     ['-Dunikernel.debug', 'The image was made without the debugger agent. [parameter debug'],
     ['-Dunikernel.firmware=efi', "'efi' is not a firmware. [parameter firmware, -Dunikernel.firmware] Use none, bios or uefi."],
     ['-Dunikernel.firmware=bios -Dunikernel.gdb', "gdb's 'nokaslr' cannot be added. [parameter firmware"],
     ['-Dunikernel.firmware=bios -Dunikernel.run.with=xl', 'xl loads the kernel itself. [parameter firmware'],
     ['-Dunikernel.run.with=vmware', "'vmware' is not a way to run a guest. [parameter with, -Dunikernel.run.with] Use qemu or xl."]].each { options, message ->
        def run = build([:], 'unikernel:run-no-fork', *options.split(' '), '-Dunikernel.hostPorts=0')
        assert run.end() == 1
        assert run.output().contains(message) : run.output()
    }
}

/**
 * A host with one domain. Its life is in files: "reason" as xl list -v prints it, "exit" as its kernel writes it into
 * xenstore when it is shut down. Its program imitates that on the console.
 */
def xlRunsTheDomain() {
    def host = new File(basedir, 'host')
    host.mkdirs()
    [xl: '''
[ "$1" = list ] || echo "xl $*" | sed 's| /[^ ]*[.]xl[.]cfg| CONFIG|' >>calls
exec 8<>watched 9<>gone
case $1 in
create) cp "$3" config; echo - >reason ;;
domid) echo 7 ;;
unpause) echo >unpaused ;;
console) read -r go <unpaused; printf 'exit 0\\nunikernel: exit status=0\\nHere I am'; read -r gone <&9 ;;
list)
    [ -e reason ] || exit 1
    echo 'Name ID Mem VCPUs State Time(s) UUID Reason-Code Security Label'
    echo "running-1 7 96 1 ------ 0.1 a-b-c $(cat reason) -"
    ;;
shutdown)
    cp status exit
    echo /local/domain/7/data/unikernel/exit >&8
    echo 0 >reason
    echo @releaseDomain >&8
    ;;
destroy) rm -f reason exit; echo @releaseDomain >&8; echo >&9 ;;
esac
''', 'xenstore-watch': '''
exec <>watched
printf '%s\\n' "$@"
while read -r event; do echo "$event"; done
''', 'xenstore-read': '''
case $1 in /local/domain/7/data/unikernel/exit) cat exit ;; *) exit 1 ;; esac
'''].each { name, text ->
        def file = new File(host, name)
        file.text = '#!/bin/sh\ncd "$(dirname "$0")"' + text
        file.setExecutable(true)
    }
    assert new ProcessBuilder('mkfifo', *['watched', 'gone', 'unpaused'].collect { "${host}/${it}".toString() }).start().waitFor() == 0
    def status = new File(host, 'status')
    def calls = new File(host, 'calls')
    def start = { String... words ->
        calls.delete()
        def run = build(['PATH': host.path + ':' + System.getenv('PATH')], 'unikernel:run-no-fork', '-Dunikernel.run.with=xl', *words)
        run.await('Here I am')
        run
    }

    status.text = '143\n'
    def run = start('-Dunikernel.memory=96')
    run.interrupt()
    assert run.end() == 0 : run.output()
    assert calls.readLines().toSet() == ['xl create -p CONFIG', 'xl domid running-1', 'xl unpause running-1',
            'xl console running-1', 'xl shutdown running-1', 'xl destroy running-1'].toSet()
    assert new File(host, 'config').text == new File(basedir, 'target/running-1.xl.cfg').text + 'memory = 96\nname = "running-1"\n' +
            'on_poweroff = "preserve"\non_reboot = "preserve"\non_crash = "preserve"\n'

    // What the kernel reports counts, whatever the program prints.
    status.text = '3\n'
    run = start()
    run.interrupt()
    assert run.end() == 1
    assert run.output().contains('The program in the guest ended with status 3.')

    run = start()
    assert !Machines.with('unikernel running-1 ').isEmpty()
    run.process.destroyForcibly()
    Machines.awaitNone('unikernel running-1 ')
    assert calls.readLines().contains('xl destroy running-1')
}

def jmxAsksForThePassword() {
    def passwords = new File(basedir, 'target/jmx.passwords')
    passwords.text = 'monitorRole secret\n'
    def port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress()).withCloseable { it.localPort }
    def run = build([:], 'unikernel:run', '-Dunikernel.imageName=jmx', '-Dunikernel.hostPorts=0',
            "-Dunikernel.jmx=${port}".toString(), "-Dunikernel.jmxPasswordFile=${passwords}".toString())
    def url = run.await(/JMX: (service:jmx:\S+)\s/)
    assert url == "service:jmx:rmi:///jndi/rmi://127.0.0.1:${port}/jmxrmi"
    run.await('Here I am')
    def connect = { Map<String, Object> credentials -> JMXConnectorFactory.connect(new JMXServiceURL(url), credentials) }
    def refused = { Closure action ->
        try {
            action()
        } catch (SecurityException expected) {
            return
        }
        assert false : 'it was not refused'
    }
    connect([(JMXConnector.CREDENTIALS): ['monitorRole', 'secret'] as String[]]).withCloseable {
        def beans = it.MBeanServerConnection
        assert beans.getAttribute(new ObjectName('java.lang:type=Runtime'), 'Name').startsWith('1@')
        assert beans.getAttribute(new ObjectName('java.lang:type=OperatingSystem'), 'AvailableProcessors') == 1
        // The role may only read.
        refused { beans.invoke(new ObjectName('java.lang:type=Memory'), 'gc', null, null) }
    }
    refused { connect([:]).close() }
    refused { connect([(JMXConnector.CREDENTIALS): ['monitorRole', 'guess'] as String[]]).close() }
    run.interrupt()
    assert run.end() == 0 : run.output()
}

/** The client is a process, since the JDK's RMI has one TLS for all of a JVM. */
def jmxSpeaksTls() {
    def java = System.getProperty('java.home') + '/bin/'
    def file = { String name -> new File(basedir, "target/jmx.${name}") }
    def execute = { String... words ->
        def process = new ProcessBuilder(words).redirectErrorStream(true).start()
        def text = process.inputStream.text
        [process.waitFor(), text]
    }
    ['p12', 'crt', 'trust'].each { file(it).delete() }
    def keytool = { String... words -> execute(java + 'keytool', *words, '-alias', 'jmx', '-storepass', 'key-secret') }
    assert keytool('-genkeypair', '-keyalg', 'EC', '-dname', 'CN=shop.example.com', '-storetype', 'PKCS12',
            '-keystore', file('p12').path)[0] == 0
    assert keytool('-exportcert', '-keystore', file('p12').path, '-file', file('crt').path)[0] == 0
    assert keytool('-importcert', '-noprompt', '-keystore', file('trust').path, '-file', file('crt').path)[0] == 0
    file('ssl').text = 'javax.net.ssl.keyStore=/etc/unikernel.jmx.keystore\njavax.net.ssl.keyStorePassword=key-secret\n'
    file('passwords').text = 'monitorRole secret\n'
    def port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress()).withCloseable { it.localPort }
    def run = build([:], 'unikernel:run', '-Dunikernel.imageName=jmx-tls', '-Dunikernel.hostPorts=0',
            "-Dunikernel.jmx=${port}".toString(), "-Dunikernel.jmxPasswordFile=${file('passwords')}".toString(),
            "-Dunikernel.jmxKeystore=${file('p12')}".toString(), "-Dunikernel.jmxSslFile=${file('ssl')}".toString())
    def url = run.await(/JMX: (service:jmx:\S+)\s/)
    run.await('Here I am')
    def trust = ["-Djavax.net.ssl.trustStore=${file('trust')}", '-Djavax.net.ssl.trustStorePassword=key-secret']
    def attach = { List<String> options, String kind, String password = 'secret' ->
        execute(*([java + 'java', *options, new File(basedir, 'JmxClient.java').path, url, kind, 'monitorRole', password]*.toString()))
    }
    def refused = { List answer, String reason -> assert answer[0] != 0 && answer[1].contains(reason) : answer }
    def (status, text) = attach(trust, 'tls')
    assert status == 0 && text.startsWith('1@') : text
    refused(attach(trust, 'tls', 'guess'), 'SecurityException')
    refused(attach([], 'tls'), 'unable to find valid certification path')
    refused(attach(trust, 'plain'), 'non-JRMP server')
    run.interrupt()
    assert run.end() == 0 : run.output()
}

ctrlCShutsTheGuestDown()
theBiosBootsTheImage()
theGuestEndsWithAKilledMaven()
buildsSideBySide()
theBuildFailsWithTheProgram()
theProgramCannotSpeakForTheKernel()
aPanicIsSeenAtOnce()
aDebuggerCanAttach()
jmxAsksForThePassword()
jmxSpeaksTls()
aTakenPortIsAnError()
badInputIsAnError()
xlRunsTheDomain()
