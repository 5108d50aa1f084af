import javax.tools.ToolProvider

// A developer's session: what changes is seen, a fault leaves the guest as it was, Ctrl-C ends all.

def settings = new File(basedir.parentFile, 'interpolated-settings.xml')
// A session of its own takes signals as on a terminal of its own; nothing outlives this script.
def process = new ProcessBuilder('setsid', 'setpriv', '--pdeathsig', 'KILL', 'env', '--default-signal=INT',
        System.getProperty('maven.home') + '/bin/mvn', '-o', '-B', '-s', settings.path, '-Dmaven.repo.local=' + localRepositoryPath,
        '-Dstyle.color=never', 'unikernel:dev', '-Dunikernel.hostPorts=0').directory(basedir).redirectErrorStream(true).start()
process.outputStream.close()
def reader = process.inputReader()
def text = new StringBuilder()

/** Reads on to a line with the pattern; returns its first group, if it has one. */
def await = { String pattern ->
    for (def line = reader.readLine(); line != null; line = reader.readLine()) {
        text.append(line).append('\n')
        def found = line =~ pattern
        if (found.find()) {
            return found.groupCount() ? found.group(1) : null
        }
    }
    assert false : "no '${pattern}' in:\n${text}"
}

def ready = {
    def url = await(/(\S+) is forwarded to port 8080 of the guest/)
    await(/Answers \d+\.\d s after the change/)
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
await(/Changed: Greeting\.class/)
def url = ready()
assert answer(url) == 'second one'

// Without a main class there is no image; the guest goes on.
def main = new File(basedir, 'target/classes/it/Main.class')
def bytes = main.bytes
assert main.delete()
await(/The image stays as it was\. .*main/)
assert answer(url) == 'second one'

main.bytes = bytes
assert answer(ready()) == 'second one'

new File(basedir, 'src/main/unikernel/etc/setting').text = 'two\n'
assert answer(ready()) == 'second two'

assert new ProcessBuilder('sh', '-c', "kill -INT -${process.pid()}").inheritIO().start().waitFor() == 0
text.append(reader.text)
assert process.waitFor() == 0 : text
assert text.toString().contains('Shutting down; Ctrl-C again')
// Each of the four guests ended in good order.
assert text.toString().findAll('The hook has run').size() == 4 : text
assert !text.toString().contains('The guest has ended; waiting')
assert !ProcessHandle.allProcesses().anyMatch { it.info().commandLine().orElse('').contains(basedir.path + '/target') }
