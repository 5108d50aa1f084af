import java.util.concurrent.TimeUnit

// What needs Maven as a process of its own: signals, two builds at once, programs on the PATH.

class Build {
    Process process
    List<String> lines = []

    /** Reads on until a line that contains the text. */
    String await(String text) {
        for (def line = process.inputReader().readLine(); line != null; line = process.inputReader().readLine()) {
            lines << line
            if (line.contains(text)) {
                return line
            }
        }
        assert false : "no '${text}' in:\n${lines.join('\n')}"
    }

    /** Reads to the end; returns the exit status. */
    int end() {
        lines.addAll(process.inputReader().readLines())
        process.waitFor()
    }

    /** As the terminal does on Ctrl-C. */
    void interrupt() {
        assert new ProcessBuilder('sh', '-c', "kill -INT -${process.pid()}").inheritIO().start().waitFor() == 0
    }

    String output() {
        lines.join('\n')
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

machines = { ProcessHandle.allProcesses().filter { it.info().commandLine().orElse('').contains(image) }.toList() }

answers = { String url -> new URL(url + 'health').openConnection().responseCode == 204 }

urlIn = { String line -> (line =~ /http:\/\/localhost:\d+\//)[0] }

def ctrlCShutsTheGuestDown() {
    def run = build([:], 'unikernel:run-no-fork', '-Dunikernel.hostPorts=0')
    def url = urlIn(run.await('leads to port 8080 of the guest'))
    run.await('Here I am')
    assert answers(url)
    run.interrupt()
    assert run.end() == 0
    assert run.output().contains('Shutting down; Ctrl-C again')
    assert run.output().contains('The hook has run\n')
    assert run.output().contains('unikernel: exit status=143\n')
    assert machines().isEmpty()
}

def theGuestEndsWithAKilledMaven() {
    def run = build([:], 'unikernel:run-no-fork', '-Dunikernel.hostPorts=0')
    run.await('Here I am')
    def left = machines()
    assert !left.isEmpty()
    run.process.destroyForcibly()
    // Each ends by itself; the limit is there for the case that one does not.
    left.each { it.onExit().get(2, TimeUnit.MINUTES) }
}

def buildsSideBySide() {
    def builds = (1..2).collect { build([:], 'unikernel:start', 'unikernel:stop', '-Dunikernel.imageName=running-1') }
    def urls = builds.collect { urlIn(it.await('Ready after')) }
    assert urls[0] != urls[1]
    builds.each { assert it.end() == 0 : it.output() }
    builds.each { assert it.output().contains('[INFO] Stopped') }
    assert machines().isEmpty()
}

def theBuildFailsWithTheProgram() {
    def run = build([:], 'package', 'unikernel:run', '-Dunikernel.imageName=failing', '-Dunikernel.arguments=3',
            '-Dunikernel.hostPorts=0')
    assert run.end() == 1
    assert run.output().contains('The program in the guest ended with status 3.')
    assert run.output().contains('  | I cannot go on')
}

def aPanicIsSeenAtOnce() {
    def run = build([:], 'package', 'unikernel:start', '-Dunikernel.imageName=panicking', '-Dunikernel.kernelOptions=conf=/none')
    assert run.end() == 1
    assert run.output().contains('The guest kernel panicked.')
    assert run.output().contains('/none')
}

def aDebuggerCanAttach() {
    def run = build([:], 'package', 'unikernel:run-no-fork', '-Dunikernel.imageName=debugged', '-Dunikernel.debug=0',
            '-Dunikernel.hostPorts=0')
    def port = (run.await('Attach the debugger to') =~ /localhost:(\d+)/)[0][1] as int
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
        assert run.output().contains("Port ${taken.localPort} of this machine is taken, or not for you to use."
                + ' [parameter hostPorts, -Dunikernel.hostPorts] End the program that has it')
        assert machines().isEmpty()
    } finally {
        taken.close()
    }
}

def badInputIsAnError() {
    [['-Dunikernel.imageName=other', 'other.img. [parameter imageName, -Dunikernel.imageName] Make the image first'],
     ['-Dunikernel.memory=16', '16 MiB are too little for a JVM. [parameter memory'],
     ['-Dunikernel.qemu=/bin/true', '/bin/true is not QEMU. [parameter qemu'],
     ['-Dunikernel.debug', 'The image was made without the debugger agent. [parameter debug'],
     ['-Dunikernel.run.with=vmware', "'vmware' runs no guest. [parameter run.with"]].each { option, message ->
        def run = build([:], 'unikernel:run-no-fork', option, '-Dunikernel.hostPorts=0')
        assert run.end() == 1
        assert run.output().contains(message) : run.output()
    }
}

/** A host whose one domain lives as long as the file "domain" is there, and says how it was ended. */
def xlRunsTheDomain() {
    def host = new File(basedir, 'host')
    host.mkdirs()
    def xl = new File(host, 'xl')
    xl.text = '''#!/bin/sh
cd "$(dirname "$0")"
echo "xl $*" >>calls
case $1 in
create)
    mkfifo domain
    echo 'Here I am'
    read -r end <domain
    rm domain
    echo "unikernel: exit status=$end" ;;
shutdown) echo 143 >domain ;;
destroy) [ ! -e domain ] || echo destroyed >domain ;;
esac
'''
    xl.setExecutable(true)
    def path = ['PATH': host.path + ':' + System.getenv('PATH')]
    def run = build(path, 'unikernel:run-no-fork', '-Dunikernel.run.with=xl', '-Dunikernel.memory=96')
    run.await('Here I am')
    run.interrupt()
    assert run.end() == 0 : run.output()
    def calls = new File(host, 'calls')
    assert calls.readLines() == ["xl create -c ${basedir}/target/running-1.xl.cfg memory=96".toString(), 'xl shutdown running-1']

    calls.delete()
    run = build(path, 'unikernel:run-no-fork', '-Dunikernel.run.with=xl')
    run.await('Here I am')
    def left = ProcessHandle.allProcesses().filter { it.info().commandLine().orElse('').contains('running-1.xl.cfg') }.toList()
    run.process.destroyForcibly()
    left.each { it.onExit().get(2, TimeUnit.MINUTES) }
    assert calls.readLines().last() == 'xl destroy running-1'
}

ctrlCShutsTheGuestDown()
theGuestEndsWithAKilledMaven()
buildsSideBySide()
theBuildFailsWithTheProgram()
aPanicIsSeenAtOnce()
aDebuggerCanAttach()
aTakenPortIsAnError()
badInputIsAnError()
xlRunsTheDomain()
