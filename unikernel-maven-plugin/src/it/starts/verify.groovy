import groovy.xml.XmlSlurper

// What a program is started with and what it draws, in the guest and on Linux: the same JDK with the same words. By
// default with one collector and the JDK of the build; with -Dit.collectors=Serial,Parallel,G1,Z,Shenandoah and
// -Dit.jdks=HOME,HOME with those.

def collectors = System.getProperty('it.collectors', 'Z').split(',')
def jdks = System.getProperty('it.jdks', System.getProperty('java.home')).split(',')
def heap = '-Xmx80m'
def settings = new File(basedir.parentFile, 'interpolated-settings.xml').path

def pom = new XmlSlurper().parse(new File(basedir, 'pom.xml'))
def text = pom.properties.'it.text'.text()
def words = pom.build.plugins.plugin.configuration.arguments.argument*.text().collect { it == '${it.text}' ? text : it }
// A JVM begins with a heap of a share of the machine's memory, and Parallel's maxMemory() depends on that.
def memory = "-XX:MaxRAM=${pom.properties.'unikernel.memory'.text()}m"
assert words.size() == 6 && words[4..5]*.getBytes('UTF-8')*.length == [255, 252]

/** Runs a command; its output, and its status at the end of it. */
def run = { List<String> command, Map<String, String> environment = [:] ->
    def log = new File(basedir, 'command.log')
    def builder = new ProcessBuilder(command*.toString()).directory(basedir).redirectErrorStream(true).redirectOutput(log)
    builder.environment().putAll(environment + [LC_ALL: 'C.UTF-8'])
    def process = builder.start()
    process.outputStream.close()
    def status = process.waitFor()
    def output = log.getText('UTF-8')
    assert status == 0 : output
    output
}

/** What the program finds: its lines, the second line of an argument with two among them. */
def found = { String output -> output.readLines().findAll { it.startsWith('found: ') || it.startsWith('lines\t') }.sort() }

/** Boots an image of the project, made with these properties. */
def inGuest = { String jdk, Map<String, String> settled ->
    run([System.getProperty('maven.home') + '/bin/mvn', '-o', '-B', '-s', settings, '-Dmaven.repo.local=' + localRepositoryPath,
            '-Dstyle.color=never', 'package', 'unikernel:run-no-fork', '-Dunikernel.jdkHome=' + jdk,
            *settled.collect { name, value -> "-Dunikernel.$name=$value" }])
}

jdks.each { jdk ->
    collectors.each { collector ->
        def option = "-XX:+Use${collector}GC"
        def guest = inGuest(jdk, [jvmArguments: option + ',' + heap])
        def linux = run([jdk + '/bin/java', option, heap, memory, '-Djava.awt.headless=true', '-Dit.text=' + text,
                '-cp', 'target/starts-1.jar', 'it.Main', *words], [IT_TEXT: text])
        assert found(linux).size() == 31
        assert found(linux).count { it.contains('blank false alike false') } == 3
        assert found(guest) == found(linux) : "$jdk $option\n$guest\n$linux"
        println "$jdk $option: ${found(linux).find { it.contains('[') }}"
    }
    if ((new File(jdk, 'release').text =~ /JAVA_VERSION="(\d+)/)[0][1] as int >= 25) {
        def guest = inGuest(jdk, [mainClass: 'it.Instance', jvmArguments: heap])
        assert found(guest) == ['found: class it.Instance'] : guest
        println "$jdk void main()"
    }
}

true
