import groovy.json.JsonSlurper

def run(String... command) {
    def process = new ProcessBuilder(command).redirectErrorStream(true).start()
    process.outputStream.close()
    def output = process.inputStream.text
    assert process.waitFor() == 0 : output
    output
}

def tool(String name) {
    ['/usr/sbin', '/sbin', '/usr/bin'].collect { new File(it, name) }.find { it.canExecute() }.path
}

def target = new File(basedir, 'target')
['staging', 'production'].each { stage ->
    def image = new File(target, "several-images-1-${stage}.img")
    run(tool('e2fsck'), '-f', '-n', image.path)
    def config = run(tool('debugfs'), '-R', 'cat /etc/unikernel.conf', image.path)
    assert config.contains("arg -Dstage=${stage}\n")
    assert config.contains('arg -cp\narg /app/several-images-1.jar\narg it.Main\n')
    assert config.contains('hostname several-images\n')
    assert config.contains('allow DB_*\nallow PUBLIC_URL\n') == (stage == 'staging')
    assert run(tool('debugfs'), '-R', 'cat /etc/app/notes.txt', image.path).contains('kept as it is: ${project.version}')
    def manifest = new JsonSlurper().parse(new File(target, "several-images-1-${stage}.unikernel.json"))
    assert manifest.image.size == image.length()
    assert manifest.kernel.version.startsWith('0.')
    assert manifest.application.classPath == ['maven:it:several-images:jar:1']
    def xen = new File(target, "several-images-1-${stage}.xl.cfg").text
    assert xen.contains("memory = ${stage == 'production' ? 512 : 256}\n")
    assert new File(target, "several-images-1-${stage}.kernel").length() > 0
}
assert run(tool('debugfs'), '-R', 'cat /etc/unikernel.conf', new File(target, 'several-images-1-production.img').path)
        .contains('network static 10.0.0.2/24 gateway 10.0.0.1\n')

def log = new File(basedir, 'build.log').text
// The second image has the same modules and takes the runtime of the first.
assert log.count('Linked a runtime') == 1
assert log.count('Reusing a runtime') == 1
assert !target.list().any { it.endsWith('.part') || it.endsWith('.unfinished') }
