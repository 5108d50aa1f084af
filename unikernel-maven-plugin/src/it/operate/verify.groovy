import java.net.InetAddress
import java.net.InetSocketAddress

// A deadlock, a thread that spins, a leak and a slow peer, each found by the commands of the manual's page alone.

page = new File(basedir, '../../../../src/site/markdown/diagnosing.md').readLines('UTF-8')

/** The commands under a heading of the page, in order. */
commands = { String heading ->
    def start = page.indexOf("### ${heading}".toString())
    assert start >= 0 : heading
    def section = page.drop(start + 1).takeWhile { !it.startsWith('##') }
    def found = section.findAll { it =~ /^    (mvn|cp|diff) / }*.trim()
    assert found : heading
    found
}

settings = new File(basedir.parentFile, 'interpolated-settings.xml')
maven = [System.getProperty('maven.home') + '/bin/mvn', '-o', '-B', '-s', settings.path,
        '-Dmaven.repo.local=' + localRepositoryPath, '-Dstyle.color=never']

// `mvn` is Maven without a network and with this build's settings.
def bin = new File(basedir, 'target/bin')
bin.mkdirs()
new File(bin, 'mvn').with {
    text = '#!/bin/sh\nexec ' + maven.collect { "'${it}'" }.join(' ') + ' "$@"\n'
    setExecutable(true)
}

/** Runs a command of the page as a shell does. */
execute = { String command ->
    def builder = new ProcessBuilder('setpriv', '--pdeathsig', 'KILL', 'bash', '-c', command)
            .directory(basedir).redirectErrorStream(true)
    builder.environment().merge('PATH', bin.path, { path, first -> "${first}:${path}".toString() })
    def process = builder.start()
    process.outputStream.close()
    def text = process.inputStream.text
    def status = process.waitFor()
    assert status == 0 || command.startsWith('diff ') && status == 1 : text
    println "${command}\n${text}"
    text
}

written = { String suffix -> new File(basedir, "target/operate-1.${suffix}").text }

/** The CPU time of each thread in a dump, in milliseconds, by its name. */
times = { String dump ->
    def found = [:]
    (dump =~ /(?m)^"([^"]*)".* cpu=([0-9.]+)ms /).each { found[it[1]] = it[2] as double }
    found
}

/** How many objects there are of each class in a histogram. */
counts = { String histogram ->
    def found = [:]
    (histogram =~ /(?m)^ *\d+: +(\d+) +\d+ +(\S+)/).each { found[it[2]] = it[1] as long }
    found
}

/** The key whose value has grown most. */
grown = { Map before, Map after -> after.max { it.value - (before[it.key] ?: 0) }.key }

port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress()).withCloseable { it.localPort }
ask = { String path -> new URL("http://localhost:${port}${path}").openStream().close() }

def run = new ProcessBuilder(['setsid', 'setpriv', '--pdeathsig', 'KILL', 'env', '--default-signal=INT', *maven,
        'unikernel:run-no-fork', '-Dunikernel.ports=8080', "-Dunikernel.hostPorts=${port}"]*.toString())
        .directory(basedir).redirectErrorStream(true).start()
run.outputStream.close()
def lines = run.inputReader()
try {
    for (def line = lines.readLine(); !line.contains('Ctrl-C shuts down'); line = lines.readLine()) {
        assert line != null
    }
    def console = Thread.start { lines.eachLine { println it } }

    assert page.any { it.startsWith('| stuck |') && it.contains('`unikernel:dump`') }
    ask('/deadlock')
    def deadlock = ''
    while (!deadlock.contains('Java-level deadlock')) { // the threads may not have got there yet
        commands('Stuck').each(execute)
        deadlock = written('threads.txt').replaceFirst(/(?s)^.*?(?=Found one Java-level deadlock|\z)/, '')
    }
    assert deadlock.contains('"takes-orders"') && deadlock.contains('"counts-stock"')
    assert deadlock.contains('it.Main.hold')

    ask('/spin')
    commands('Busy without work').each(execute)
    ask('/rest')
    assert grown(times(new File(basedir, 'target/threads.before').text), times(written('threads.txt'))) == 'spins'
    assert written('threads.txt') =~ /(?s)"spins".*?it[.]Main[.]lambda[$]spin/

    def compared = commands('Full').collect {
        ask('/leak')
        execute(it)
    }.last()
    assert compared =~ /(?m)^> .*it[.]Main[$]Session/
    assert grown(counts(new File(basedir, 'target/histogram.before').text), counts(written('histogram.txt'))) == 'it.Main$Session'

    new Socket().withCloseable { slow ->
        slow.receiveBufferSize = 4096
        slow.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
        slow.outputStream.write('GET /endless HTTP/1.0\r\n\r\n'.bytes)
        def waits = ''
        while (!(waits =~ /^ESTABLISHED +0 +[1-9]/)) { // until the buffers on the way are full
            commands('Waiting for a peer').each(execute)
            waits = written('connections.txt').readLines()[1]
        }
        assert waits.endsWith(":${slow.localPort}")
        assert waits =~ /10[.]0[.]2[.]15:8080 /
        assert written('threads.txt') =~ /(?s)"sends-report".*?(write|poll).*?it[.]Main[.]sendWithoutEnd/
    }

    new ProcessBuilder('sh', '-c', "kill -INT -${run.pid()}").inheritIO().start().waitFor()
    assert run.waitFor() == 0
    console.join()
} finally {
    if (run.alive) {
        new ProcessBuilder('sh', '-c', "kill -KILL -${run.pid()}").inheritIO().start().waitFor()
    }
}
