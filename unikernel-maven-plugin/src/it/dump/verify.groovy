import io.github.javaunikernel.maven.invoked.HeapDump
import java.lang.management.ManagementFactory
import java.lang.management.ThreadMXBean
import java.nio.ByteBuffer
import java.nio.channels.Channels
import java.nio.channels.SocketChannel
import javax.management.remote.JMXConnectorFactory
import javax.management.remote.JMXServiceURL

// What is written of a running guest, read by the JDK's own tools where it has one.

image = 'dump-1'
file = { String suffix -> new File(basedir, "target/${image}.${suffix}") }

java = { String tool, String... words ->
    def process = new ProcessBuilder([System.getProperty('java.home') + '/bin/' + tool, *words]).redirectErrorStream(true).start()
    def text = process.inputStream.text
    assert process.waitFor() == 0 : text
    text
}

def threads = file('threads.txt').text
assert threads.contains('"holds-first"') && threads.contains('"holds-second"')
assert threads.contains('Found 1 deadlock.')
assert threads.contains('it.Main.lambda$startHolding$')

assert file('histogram.txt').text =~ '(?m)^ *[0-9]+: +12345 +[0-9]+ +it[.]Main[$]Marked'

assert HeapDump.instances(file('hprof').toPath(), 'it.Main$Marked') == 12345

def events = java('jfr', 'summary', file('jfr').path)
assert events.contains('jdk.ActiveRecording')

def log = new File(basedir, 'build.log').text
assert log =~ /\[INFO\] \d+\.\d+ s/
assert file('console.log').text =~ /unikernel: trace \d+ write\(fd=/
assert !file('channel').exists()

// Another process asks the guest of this one, and has the JVM listen for JMX.

settings = new File(basedir.parentFile, 'interpolated-settings.xml')

build = { String... words ->
    // Nothing outlives this script.
    def command = ['setsid', 'setpriv', '--pdeathsig', 'KILL', 'env', '--default-signal=INT',
            System.getProperty('maven.home') + '/bin/mvn', '-o', '-B', '-s', settings.path,
            '-Dmaven.repo.local=' + localRepositoryPath, '-Dstyle.color=never', *words]
    def process = new ProcessBuilder(command*.toString()).directory(basedir).redirectErrorStream(true).start()
    process.outputStream.close()
    process
}

jcmd = { String command ->
    def process = build('unikernel:jcmd', "-Dunikernel.jcmd=${command}")
    def text = process.inputStream.text
    assert process.waitFor() == 0 : text
    text
}

/** The stubs of RMI have the port in them, so it has to be the same one on both sides. */
port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress()).withCloseable { it.localPort }

connect = { -> JMXConnectorFactory.connect(new JMXServiceURL("service:jmx:rmi:///jndi/rmi://localhost:${port}/jmxrmi")) }

def run = build('unikernel:run-no-fork', "-Dunikernel.ports=8080,${port}", "-Dunikernel.hostPorts=0,${port}")
def lines = run.inputReader()
try {
    while (!lines.readLine().contains('Ctrl-C shuts down')) {
    }
    jcmd("ManagementAgent.start jmxremote.port=${port} jmxremote.rmi.port=${port} jmxremote.authenticate=false jmxremote.ssl=false")
    connect().withCloseable {
        def beans = ManagementFactory.newPlatformMXBeanProxy(it.MBeanServerConnection, ManagementFactory.THREAD_MXBEAN_NAME, ThreadMXBean)
        assert beans.findDeadlockedThreads().length == 2
    }
    assert jcmd('ManagementAgent.status').contains("${port}")
    jcmd('ManagementAgent.stop')
    try {
        connect().close()
        assert false : 'it still listens'
    } catch (IOException expected) {
    }
} finally {
    assert new ProcessBuilder('sh', '-c', "kill -INT -${run.pid()}").inheritIO().start().waitFor() == 0
}
def rest = lines.text
assert run.waitFor() == 0 : rest

// The memory of a guest that is busy, and of one whose JVM has crashed, as a core file of the program.

readUntil = { BufferedReader from, String text ->
    def line = from.readLine()
    while (line != null && !line.contains(text)) {
        line = from.readLine()
    }
    assert line != null : "no '${text}'"
}

/** Ends a goal whose guest does not end by itself. */
endByForce = { Process goal, BufferedReader output ->
    def interrupt = { -> new ProcessBuilder('sh', '-c', "kill -INT -${goal.pid()}").inheritIO().start().waitFor() }
    interrupt()
    readUntil(output, 'Ctrl-C again ends the guest by force')
    interrupt()
}

dumpCore = { ->
    def process = build('unikernel:dump', '-Dunikernel.dump=core', "-Dunikernel.imageName=${image}")
    def text = process.inputStream.text
    assert process.waitFor() == 0 : text
    assert !text.contains('These have no symbols') : text
}

files = { -> file('core.files').path }

debug = { String... words ->
    def builder = new ProcessBuilder(words).redirectErrorStream(true)
    builder.environment().put('SA_ALTROOT', files())
    def process = builder.start()
    process.outputStream.close()
    def text = process.inputStream.text
    assert process.waitFor() == 0 : text
    text
}

jhsdb = { String... words ->
    debug(System.getProperty('java.home') + '/bin/jhsdb', *words, '--exe', files() + '/jvm/bin/java', '--core', file('core').path)
}

gdb = { String command ->
    debug('gdb', '-nx', '-q', '-batch', '-iex', "set sysroot ${files()}".toString(), '-ex', command, files() + '/jvm/bin/java', file('core').path)
}

hasGdb = System.getenv('PATH').split(':').any { new File(it, 'gdb').canExecute() }

checkCore = { ->
    assert jhsdb('jmap', '--histo') =~ /(?m)^ *\d+:\s+12345\s+\d+\s+it[.]Main[$]Marked/
    def stacks = jhsdb('jstack')
    assert stacks.contains('"holds-first"') && stacks.contains('it.Main.lambda$startHolding$')
    stacks
}

httpPort = new ServerSocket(0, 1, InetAddress.getLoopbackAddress()).withCloseable { it.localPort }
page = { String path -> new URL("http://localhost:${httpPort}${path}").text }

def kept = build('unikernel:run-no-fork', '-Dunikernel.ports=8080', "-Dunikernel.hostPorts=${httpPort}")
def output = kept.inputReader()
try {
    readUntil(output, 'Ctrl-C shuts down')
    def answers = new java.util.concurrent.atomic.AtomicInteger()
    def over = new java.util.concurrent.atomic.AtomicBoolean()
    def load = Thread.start {
        while (!over.get()) {
            assert page('/') == '12345'
            answers.incrementAndGet()
        }
    }
    while (answers.get() == 0) {
        Thread.yield()
    }
    dumpCore()
    def before = answers.get()
    while (answers.get() == before) {
        assert load.isAlive()
        Thread.yield()
    }
    over.set(true)
    load.join()
    assert checkCore().contains('"HTTP-Dispatcher"')
    def heap = new File(basedir, 'target/from-core.hprof')
    jhsdb('jmap', '--binaryheap', '--dumpfile', heap.path)
    assert HeapDump.instances(heap.toPath(), 'it.Main$Marked') == 12345
    def report = file('core.txt').text
    assert report.contains('\nPanic\n-----\nnone\n')
    assert report =~ /thread 1 "java" sleeping, used \d+ ms\n  program at \p{XDigit}+, stack at \p{XDigit}+\n  \p{XDigit}{16} schedule\+/
    if (hasGdb) {
        assert gdb('thread apply all bt') =~ /(?s)Monitor::wait.*libjvm[.]so/
    }

    // It answers no more, and is there.
    try {
        page('/crash')
        assert false : 'it did not crash'
    } catch (IOException expected) {
    }
    readUntil(output, 'the machine is kept for a dump of its memory')
    dumpCore()
    assert checkCore() =~ /(?s)"HTTP-Dispatcher".*Unsafe[.]putLong.*it[.]Main[.]crash\(\)/
    assert file('core.txt').text.contains('unikernel: killed by signal 6')
    if (hasGdb) {
        assert gdb('bt') =~ /(?s)abort.*<signal handler called>.*Unsafe_PutLong/
    }
} finally {
    endByForce(kept, output)
}
assert output.text.contains('The program in the guest was killed by signal 6')
assert kept.waitFor() != 0
assert !file('qmp').exists()

// A kernel that panics, on two CPUs, since QEMU sends each of them an interrupt that it does not expect.

image = 'two'
def panicking = build('package', 'unikernel:run-no-fork', "-Dunikernel.imageName=${image}", '-Dunikernel.vcpus=2',
        '-Dunikernel.ports=8080', "-Dunikernel.hostPorts=${httpPort}")
output = panicking.inputReader()
try {
    readUntil(output, 'Ctrl-C shuts down')
    assert page('/') == '12345'
    SocketChannel.open(UnixDomainSocketAddress.of(file('qmp').path)).withCloseable { monitor ->
        def answers = new BufferedReader(Channels.newReader(monitor, 'UTF-8'))
        ['qmp_capabilities', 'inject-nmi'].each {
            monitor.write(ByteBuffer.wrap("{\"execute\": \"${it}\"}\n".bytes))
            readUntil(answers, '"return"')
        }
    }
    readUntil(output, 'panic: non-maskable interrupt')
    dumpCore()
    checkCore()
    def report = file('core.txt').text
    assert report =~ /\nPanic\n-----\nnon-maskable interrupt/
    [0, 1].each { assert report =~ "\nCPU ${it} in the kernel\n  \\p{XDigit}{16} [a-z_]+\\+" }
    assert report =~ /\n  \p{XDigit}{16} native_nonmaskable_trap\+/
    assert report =~ /thread 1 "java" sleeping, used \d+ ms\n  program at \p{XDigit}+, stack at \p{XDigit}+\n  \p{XDigit}{16} schedule\+/
    if (hasGdb) {
        assert gdb('thread apply all bt') =~ /(?s)Monitor::wait.*libjvm[.]so/
    }
} finally {
    endByForce(panicking, output)
}
assert output.text.contains('The guest was ended by force')
assert panicking.waitFor() != 0
