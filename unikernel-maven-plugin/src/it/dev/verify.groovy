import io.github.javaunikernel.maven.invoked.Machines
import io.github.javaunikernel.maven.invoked.MavenSession
import javax.tools.ToolProvider

// A developer's session: what changes is seen, a fault leaves the guest as it was, Ctrl-C ends all.

def maven = MavenSession.start(basedir, new File(basedir.parentFile, 'interpolated-settings.xml'), localRepositoryPath,
        ['unikernel:dev', '-Dunikernel.hostPorts=0'])

def ready = {
    def url = maven.await(/(\S+) is forwarded to port 8080 of the guest/)
    maven.await(/Answers \d+\.\d s after the change/)
    url
}

def answer = { String url -> new URL(url + 'greeting').text }

/** As an IDE does when a file is saved. */
def compile = { String greeting ->
    def source = new File(basedir, 'src/main/java/it/Greeting.java')
    source.text = source.text.replaceFirst(/return ".*"/, "return \"${greeting}\"")
    assert ToolProvider.systemJavaCompiler.run(null, null, null, '--release', '17', '-d', new File(basedir, 'target/classes').path,
            '-cp', new File(basedir, 'target/classes').path, source.path) == 0
}

assert answer(ready()) == 'first one'

compile('second')
maven.await(/Changed: Greeting\.class/)
def url = ready()
assert answer(url) == 'second one'

// Without a main class there is no image; the guest goes on.
def main = new File(basedir, 'target/classes/it/Main.class')
def bytes = main.bytes
assert main.delete()
maven.await(/The image stays as it was\. .*main/)
assert answer(url) == 'second one'

main.bytes = bytes
assert answer(ready()) == 'second one'

new File(basedir, 'src/main/unikernel/etc/setting').text = 'two\n'
assert answer(ready()) == 'second two'

maven.signal('INT')
assert maven.end() == 0 : maven.output()
assert maven.output().contains('Shutting down; Ctrl-C again')
// Each of the four guests ended in good order.
assert maven.output().findAll('The hook has run').size() == 4 : maven.output()
assert !maven.output().contains('The guest has ended; waiting')
Machines.awaitNone(basedir.path + '/target')
