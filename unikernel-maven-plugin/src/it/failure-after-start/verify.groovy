import io.github.javaunikernel.maven.invoked.Machines

def log = new File(basedir, 'build.log').text
def ready = log =~ /Ready after \S+ s at http:\/\/localhost:(\d+)\//
assert ready.find()
def port = ready.group(1)
// What start exports reaches other plugins of the build.
assert log.contains("The tests fail at http://localhost:${port}/ and ${port} = ${port}.")
assert !log.contains('Stopped')

// The end of the build ended the guest: nothing listens, nothing runs.
try {
    new Socket('127.0.0.1', port as int).close()
    assert false : "something listens on port ${port}"
} catch (ConnectException expected) {
    assert expected.message.contains('refused')
}
def image = new File(basedir, 'target/failure-after-start-1.img').path
Machines.awaitNone(image)
assert new File(basedir, 'target/failure-after-start-1.console.log').text.contains('Here I am\n')
assert new File(basedir, 'target').list().findAll { it.startsWith('failure-after-start-1') }.sort() == ['cdx.json', 'console.log', 'img',
        'jar', 'kernel', 'unikernel.json', 'xl.cfg'].collect { 'failure-after-start-1.' + it }
