import groovy.json.JsonSlurper
import io.github.javaunikernel.maven.invoked.Machines
import io.github.javaunikernel.maven.invoked.MavenSession
import java.nio.file.Files
import java.nio.file.attribute.PosixFilePermissions


// A snapshot of an idle machine, two copies that are restored from it, and one that cannot be restored.

def maven = MavenSession.start(basedir, new File(basedir.parentFile, 'interpolated-settings.xml'), localRepositoryPath,
        ['unikernel:serve', '-Dunikernel.hostPorts=0', '-Dunikernel.serve.idleTimeout=1', '-Dunikernel.serve.snapshot'])

def url = maven.await(/(\S+) leads to port 8080 of an instance/)
def status = maven.await(/Status: (\S+)/)
maven.await('Waiting for connections')
def snapshot = new File(basedir, 'target/snapshot-1.snapshot')
assert !snapshot.exists()

/** Seconds of the host's CPU that the only machine has taken. */
def cpu = {
    def qemu = Machines.with(basedir.path + '/target/snapshot-1.img').findAll {
        it.info().command().orElse('').endsWith('/qemu-system-x86_64')
    }
    assert qemu.size() == 1
    qemu[0].info().totalCpuDuration().get().toMillis() / 1000
}
/** What one machine draws, the time there, and the CPU that it took until it had answered. */
def ask = {
    // Another connection keeps it for that long.
    new Socket('127.0.0.1', new URL(url).port).withCloseable {
        new URL(url).text.readLines().collectEntries { it.split(' ') as List } + [cpu: cpu()]
    }
}
def permissions = { File file -> PosixFilePermissions.toString(Files.getPosixFilePermissions(file.toPath())) }

def original = ask()
maven.await(/Instance 1 is ready after \S+ s \(cold\)/)
maven.await('Stopping instance 1')
assert maven.await(/Later starts are restored from (\S+)/) == snapshot.path
maven.await('Instance 1 has ended')
assert permissions(snapshot) == 'rwx------'
assert snapshot.listFiles().collectEntries { [it.name, permissions(it)] } == [memory: 'rw-------', 'machine.json': 'rw-------']
assert !new File(snapshot.path + '.part').exists()

def copies = (2..3).collect { number ->
    def drawn = ask()
    def skew = System.currentTimeMillis() - (drawn.time as long)
    assert skew < 60_000 && skew > -2_000 : skew
    maven.await(/Instance ${number} is ready after \S+ s \(restored\)/)
    maven.await("Instance ${number} has ended")
    drawn
}
def ended = new JsonSlurper().parse(new URL(status + 'status.json')).ended
assert ended*.start == ['restored', 'restored', 'cold']
assert ended.every { it.secondsToFirstAnswer >= it.secondsToReady }
for (kind in ['secure', 'few', 'strong', 'uuid', 'tls']) {
    assert ([original] + copies)*.get(kind).toSet().size() == 3 : "copies repeat '${kind}': ${copies}"
}
println "SplittableRandom of two copies: ${copies*.split}"
println "CPU to the first answer, s: cold ${original.cpu}, restored ${copies*.cpu}"
assert copies.every { it.cpu < original.cpu / 2 }

// What QEMU cannot go on from is as good as none.
def memory = new File(snapshot, 'memory')
memory.bytes = new byte[memory.length() as int]
assert ask().secure
maven.await('The snapshot in .* is not used, since .*; the start is a cold one')
maven.await(/Instance \d is ready after \S+ s \(cold\)/)
maven.await('Later starts are restored from')

maven.signal('INT')
assert maven.end() == 0 : maven.output()
assert maven.output().contains('BUILD SUCCESS')
assert !new File(snapshot.path + '.part').exists()
