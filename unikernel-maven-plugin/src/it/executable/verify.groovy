import io.github.javaunikernel.maven.invoked.Machines
import io.github.javaunikernel.maven.invoked.MavenSession

def log = new File(basedir, 'build.log').text
def builds = log.split('Scanning for projects').drop(1)
assert builds.size() == 9

// What Linux shows of the same programs, with the environment that an image has.
def environment = [GRUSS: 'Grüße, 世界 🙂', EMPTY: '', HOME: '/home', LANG: 'C.UTF-8', TZ: 'UTC']
def directory = new File(basedir, 'linux/app')
directory.mkdirs()
def started = { String program, String... arguments ->
    def builder = new ProcessBuilder([new File(basedir, "programs/$program").path, *arguments]).directory(directory)
            .redirectErrorStream(true)
    builder.environment().clear()
    builder.environment().putAll(environment)
    builder.start()
}
def onLinux = { String program, String... arguments ->
    def process = started(program, arguments)
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

// Programs that the compilers of Go and GraalVM made, where prebuild.groovy found them. Each runs in a build of its own,
// because the invoker cannot leave out one of several.
def build = { String program, String... words ->
    MavenSession.start(basedir, new File(basedir.parentFile, 'interpolated-settings.xml'), localRepositoryPath,
            ["-Dprogram=$program".toString(), '-Dunikernel.memory=256', *words])
}

/** Linked statically: arguments, output and status. */
def compared = { String program, String image, int status, String... arguments ->
    def linux = onLinux(program, arguments)
    assert linux.status == status : linux.output
    def guest = build(program, 'verify', "-Dunikernel.imageName=$image",
            "-Dunikernel.checkArguments=${arguments.join(',')}")
    assert (guest.end() == 0) == (status == 0) : guest.output()
    assert guest.output().contains(status == 0 ? 'The image has passed its check in '
            : "The program in the guest ended with status $status. The last lines of its console:")
    assert shown(image) == linux.output.readLines()
    linux.output
}

/** Linked with the C library (cgo): a server that answers through the forwarded port, until SIGTERM ends it. */
def caddy = {
    // An answer with a body, one without, and one to a request with a body.
    def answers = { String url ->
        def client = java.net.http.HttpClient.newHttpClient()
        [['GET', '/?q=%F0%9F%99%82', ''], ['HEAD', '/', ''], ['POST', '/upload', 'x' * 100_000]].collect {
            def body = java.net.http.HttpRequest.BodyPublishers.ofString(it[2])
            def request = java.net.http.HttpRequest.newBuilder(URI.create(url + it[1])).method(it[0], body).build()
            def answer = client.send(request, java.net.http.HttpResponse.BodyHandlers.ofString())
            def headers = answer.headers().map().findAll { name, values -> !name.equalsIgnoreCase('date') }
            [answer.version(), answer.statusCode(), headers, answer.body()]
        }
    }
    // Its log is JSON in a pipe, as on Linux here, and lines with tabs on a terminal, such as the guest's console:
    // time, level, perhaps the logger, message, perhaps further fields.
    def json = new groovy.json.JsonSlurper()
    def entry = { String line ->
        if (line.startsWith('{')) {
            return json.parseText(line)
        }
        def words = line.split('\t').toList()
        if (words.size() < 3) {
            return null
        }
        def fields = words.last().startsWith('{') ? json.parseText(words.removeLast()) : [:]
        fields + [level: words[1].toLowerCase(), logger: words.size() > 3 ? words[2] : null, msg: words.last()]
    }
    // What depends neither on the time nor on the port: not what goroutines in the background report.
    def messages = { String text ->
        text.readLines().findResults { entry(it) }
                .findAll { !it.logger?.startsWith('tls') && it.msg != 'port 0 listener' }
                .collect { [it.level, it.msg, it.signal, it.exit_code] }
    }
    def arguments = { String port ->
        ['respond', '--listen', port, '--status', '203', '--header', 'X-Greeting: two  words',
                '--body', 'Grüße 世界 🙂'] as String[]
    }

    // What Caddy keeps in the home directory stays out of the build machine's.
    def home = new File(basedir, 'linux/home')
    home.mkdirs()
    environment.HOME = home.path
    def process = started('caddy', arguments(':0'))
    def output = new StringBuilder()
    def port = null
    for (def line = process.inputReader().readLine(); line != null; line = process.inputReader().readLine()) {
        output.append(line).append('\n')
        def listening = line =~ /Server address: \S*:(\d+)/
        if (listening.find()) {
            port = listening.group(1)
            break
        }
    }
    assert port != null : output
    def expected = answers("http://127.0.0.1:$port")
    assert expected[0][1] == 203 && expected[0][3] == 'Grüße 世界 🙂'
    process.toHandle().destroy()
    output.append(process.inputReader().text)
    def status = process.waitFor()

    def guest = build('caddy', 'package', 'unikernel:run-no-fork', '-Dunikernel.checkArguments=',
            '-Dunikernel.hostPorts=0', "-Dunikernel.arguments=${arguments(':8080').join(',')}")
    def url = guest.await(/(http\S+?)\/? is forwarded to port 8080 of the guest/)
    guest.await(/Server address: \S*:8080/)
    assert answers(url) == expected
    guest.signal('INT')
    assert guest.end() == 0 : guest.output()
    assert guest.output().contains("unikernel: exit status=$status\n")
    assert messages(guest.output()) == messages(output.toString())
    assert messages(guest.output()).any { it[2] == 'SIGTERM' }
}

// The Closure Compiler, a native executable of GraalVM: it reads a file of the image and runs threads of its own.
if (new File(basedir, 'programs/compiler').exists()) {
    new File(directory, 'greeting.js').bytes = new File(basedir, 'src/main/unikernel/app/greeting.js').bytes
    def simple = ['--charset', 'UTF-8', '--compilation_level', 'SIMPLE'] as String[]
    assert compared('compiler', 'compiler', 0, *simple, '--js', 'greeting.js') =~ /^function greeting\(.*Grüße, /
    assert compared('compiler', 'compiler-fails', 1, *simple, '--js', 'Ελλάδα.js').contains('Cannot read file Ελλάδα.js')
}
if (new File(basedir, 'programs/gosu').exists()) {
    assert compared('gosu', 'gosu', 0, '--version') =~ /\(go\S+ on linux\/amd64; gc\)/
    assert compared('gosu', 'gosu-unknown', 1, 'Ελλάδα  "quoted" \\ 🙂', 'id')
            .contains('Ελλάδα  \\"quoted\\" \\\\ 🙂')
    caddy()
}
Machines.awaitNone(basedir.path + '/target')
