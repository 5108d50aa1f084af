import io.github.javaunikernel.maven.invoked.Machines

// A data disk over four starts: it is made, kept, kept when QEMU is killed, and put right after that.

def settings = new File(basedir.parentFile, 'interpolated-settings.xml').path
def disk = new File(basedir, 'data/orders.img')
def command = ['setpriv', '--pdeathsig', 'KILL', System.getProperty('maven.home') + '/bin/mvn', '-o', '-B', '-s', settings,
        '-Dmaven.repo.local=' + localRepositoryPath, '-Dstyle.color=never', 'unikernel:run-no-fork']*.toString()
def start = { new ProcessBuilder(command).directory(basedir).redirectErrorStream(true).start() }

/** Boots the image until its program ends; what it has printed. */
def run = {
    def process = start()
    process.outputStream.close()
    def output = process.inputReader().text
    assert process.waitFor() == 0 : output
    output
}

/** e2fsck of the disk, which finds nothing to do. */
def check = {
    def process = new ProcessBuilder('/sbin/e2fsck', '-fn', disk.path).redirectErrorStream(true).start()
    def output = process.inputReader().text
    assert process.waitFor() == 0 : output
}

assert !disk.exists()
def first = run()
assert first.contains("Made $disk, a disk of 64 MiB for /orders")
assert first.contains('found: []')
check()

def second = run()
assert !second.contains('Made ')
assert second.contains('found: [start 1]')
check()

// Without its end the disk is not clean, and what was stored is there nevertheless.
def killed = start()
killed.outputStream.close()
def lines = killed.inputReader()
def seen = []
for (def line = lines.readLine(); line != null && !line.contains('waits'); line = lines.readLine()) {
    seen << line
}
assert seen.any { it.contains('found: [start 1, start 2]') } && seen.any { it.contains('stored') } : seen
def machines = Machines.with(disk.path)
def qemu = machines.find { it.info().command().orElse('').endsWith('/qemu-system-x86_64') }
assert qemu : machines*.info()
qemu.destroyForcibly()
seen << lines.text
assert killed.waitFor() != 0 : seen

// The next one is put right, and waits, too.
def fourth = start()
fourth.outputStream.close()
lines = fourth.inputReader()
seen = []
for (def line = lines.readLine(); line != null && !line.contains('waits'); line = lines.readLine()) {
    seen << line
}
assert seen.any { it.contains('found: [start 1, start 2, start 3]') } : seen
// SIGTERM is what Ctrl-C and a service manager do; the disk is clean afterwards.
fourth.toHandle().destroy()
seen << lines.text
assert fourth.waitFor() == 0 : seen
check()
true
