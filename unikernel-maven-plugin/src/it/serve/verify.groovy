import groovy.json.JsonSlurper
import io.github.javaunikernel.maven.invoked.Machines
import io.github.javaunikernel.maven.invoked.MavenSession

// A front door with guests in QEMU: a burst at a cold start, a warm request, a killed guest, an idle one, SIGTERM.

def zerg = new File(basedir, 'zerg')
def maven = MavenSession.start(zerg, new File(basedir.parentFile, 'interpolated-settings.xml'), localRepositoryPath,
        ['unikernel:serve', '-Dunikernel.hostPorts=0', '-Dunikernel.serve.idleTimeout=1',
         '-Dunikernel.serve.drainTimeout=36000'])

def image = zerg.path + '/target/zerg.img'

def url = maven.await(/(\S+) leads to port 8080 of an instance/)
def status = maven.await(/Status: (\S+)/)
maven.await('Waiting for connections')
assert Machines.with(image).isEmpty()

/** A connection with the first part of a request, which keeps its guest. */
def begin = {
    def client = new Socket('127.0.0.1', new URL(url).port)
    client.outputStream << 'GET / HTTP/1.1\r\nHost: localhost\r\n'
    client
}
def finish = { Socket client ->
    client.outputStream << '\r\n'
    client.withCloseable { new String(it.inputStream.readAllBytes()) }
}
def now = { new JsonSlurper().parse(new URL(status + 'status.json')) }

// The first connection starts a guest; a burst of others waits for it, and each is answered once.
def held = begin()
maven.await('Starting instance 1')
def burst = (1..200).collect { begin() }
burst.each { it.outputStream << '\r\n' }
def numbers = burst.collect { ((it.withCloseable { new String(it.inputStream.readAllBytes()) } =~ 'This is request (\\d+) of')[0][1]) as int }
assert numbers.toSet() == (1..200).toSet()
maven.await('Instance 1 is ready')
maven.await('Instance 1 gave its first answer')
def page = new URL(url).text
assert page.contains('This is request 201 of a machine')
def phases = ['The machine starts', 'The JVM starts', 'The program starts', 'The server listens', 'Your request arrives',
        'Its answer is written']
def times = phases.collect { (page =~ "<td>${it}</td><td>([0-9.]+) s</td>")[0][1] as double }
assert times == times.sort(false) && times[0] == 0 : page
assert page.contains('The machine will be gone 1 s after its last connection')

// The same in a browser, where there is one (Debian: package chromium).
def browser = System.getenv('PATH').split(':').collect { new File(it, 'chromium') }.find { it.canExecute() }
def asked = 201
if (browser) {
    def chromium = new ProcessBuilder(browser.path, '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            "--user-data-dir=${new File(basedir, 'profile')}".toString(), '--dump-dom', url)
            .redirectError(new File(basedir, 'browser.log')).start()
    chromium.outputStream.close()
    def dom = chromium.inputReader().text
    assert chromium.waitFor() == 0
    asked++
    assert dom.contains("This is request ${asked} of a machine") : dom
    phases.each { assert dom =~ "<td>${it}</td><td>[0-9.]+ s</td>" : dom }
} else {
    println 'There is no chromium on the PATH, so the page is not shown in a browser.'
}
assert finish(held).contains("This is request ${asked + 1} of a machine")

// Without connections it is stopped.
maven.await('Stopping instance 1')
maven.await('Instance 1 has ended')
Machines.awaitNone(image)

// A killed guest resets its client; the next one is answered by another guest.
def lost = begin()
maven.await('Starting instance 2')
maven.await('Instance 2 is ready')
assert now().instances*.state == ['ready']
def qemu = Machines.with(image).findAll { it.info().command().orElse('').endsWith('/qemu-system-x86_64') }
assert qemu.size() == 1
qemu[0].destroyForcibly()
try {
    lost.inputStream.readAllBytes()
    assert false : 'the end of a killed guest looks like the end of an answer'
} catch (SocketException e) {
    lost.close()
}
maven.await('Instance 2 has failed')
assert new URL(url).text.contains('This is request 1 of a machine')
maven.await('Instance 3 is ready')

maven.await('Stopping instance 3')
maven.await('Instance 3 has ended')
Machines.awaitNone(image)
def ended = now().ended
assert ended*.number == [3, 2, 1]
assert ended[0].secondsToFirstAnswer >= ended[0].secondsToReady
assert ended[1].end.contains('The guest ended before its program did (status 137)')
assert now().failures == 1 && now().starts == 3

// SIGTERM lets an open connection end as Ctrl-C does, and leaves nothing behind.
def last = begin()
maven.await('Instance 4 is ready')
maven.signal('TERM')
maven.await('Waiting up to 36000 s for open connections: 1')
assert finish(last).contains('This is request 1 of a machine')
maven.await('Instance 4 has ended')
assert maven.end() == 0 : maven.output()
assert maven.output().contains('BUILD SUCCESS')
Machines.awaitNone(image)
