def log = new File(basedir, 'build.log').text
def builds = log.split('Scanning for projects').drop(1)
assert builds.size() == 9

// What Linux shows of the same programs, with the environment that an image has.
def environment = [GRUSS: 'Grüße, 世界 🙂', EMPTY: '', HOME: '/home', LANG: 'C.UTF-8', TZ: 'UTC']
def directory = new File(basedir, 'linux/app')
directory.mkdirs()
def onLinux = { String program, String... arguments ->
    def builder = new ProcessBuilder([new File(basedir, "programs/$program").path, *arguments]).directory(directory)
            .redirectErrorStream(true)
    builder.environment().clear()
    builder.environment().putAll(environment)
    def process = builder.start()
    [output: process.inputStream.getText('UTF-8'), status: process.waitFor()]
}
def console = { String image -> new File(basedir, "target/${image}.check.console.log").getText('UTF-8') }
def shown = { String image -> console(image).readLines().findAll { !it.startsWith('unikernel: ') } }

['static', 'static-pie', 'dynamic', 'dynamic-no-pie'].eachWithIndex { program, index ->
    assert builds[index] =~ /The image has passed its check in \S+ s/
    def linux = onLinux(program, 'status-0', 'two  words', 'Ελλάδα "quoted" \\ 🙂')
    assert linux.status == 0
    assert linux.output.contains('argument Ελλάδα "quoted" \\ 🙂\n')
    assert shown(program) == linux.output.readLines()
    def image = new groovy.json.JsonSlurper().parse(new File(basedir, "target/${program}.unikernel.json"))
    assert image.application.executable == "/app/$program"
    assert image.jdk == null
    assert !image.files*.path.any { it.startsWith('/jvm') || it.endsWith('.jar') }
    def libraries = image.files.findAll { it.type == 'file' && it.path.contains('.so') }*.path
    assert libraries.isEmpty() == program.startsWith('static')
    def bill = new groovy.json.JsonSlurper().parse(new File(basedir, "target/${program}.cdx.json"))
    assert bill.components*.name.contains("/app/$program".toString())
    assert !bill.components*.name.contains('OpenJDK')
}
def dynamic = new groovy.json.JsonSlurper().parse(new File(basedir, 'target/dynamic.unikernel.json'))
assert dynamic.files*.path.containsAll(['/app/lib/libgreeting.so', '/lib64/ld-linux-x86-64.so.2'])
assert shown('dynamic').contains('directory /app, library beside')
def report = new File(basedir, 'target/dynamic.report.html').getText('UTF-8')
assert report.contains('/app/dynamic')
assert !report.contains('Modules of the JDK')

assert onLinux('static', 'status-7').status == 7
assert builds[4].contains('The program in the guest ended with status 7. The last lines of its console:')
assert onLinux('static', 'signal-11').status == 128 + 11
assert builds[5].contains('The program in the guest was killed by signal 11. See the last lines of its console:')

// The server answered, and SIGTERM ended it with status 0.
assert builds[6] =~ /The image has passed its check in \S+ s/
assert shown('server') == ['Listening on 8080', 'Ended by signal 15']

assert builds[7].contains('The parameter is for a JVM, and there is none in the image of an executable.'
        + " [parameter mainClass, -Dunikernel.mainClass] Leave out this parameter or 'executable'.")
assert builds[8].contains('The image runs /app/server without a JVM, so there are no classes to list.'
        + ' [parameter executable, -Dunikernel.executable] Leave out the goal train for this image.')
assert !ProcessHandle.allProcesses().anyMatch { it.info().commandLine().orElse('').contains(basedir.path + '/target') }
