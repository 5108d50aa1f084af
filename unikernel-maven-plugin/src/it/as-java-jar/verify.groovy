import groovy.json.JsonSlurper

def image = new File(basedir, 'target/as-java-jar-1.img')
def read = { path -> ['debugfs', '-R', "cat $path", image.path].execute().text }

def described = new JsonSlurper().parse(new File(basedir, 'target/as-java-jar-1.unikernel.json'))
assert 'jdk.localedata' in described.jdk.modulesInUse
assert !('java.desktop' in described.jdk.modulesInUse)
def paths = described.files*.path
assert '/app/lib/extra.jar' in paths

assert read('/app/conf/a.properties') == 'a = b\n'
def configuration = read('/etc/unikernel.conf')
assert configuration.contains('arg --add-opens=java.base/java.lang=ALL-UNNAMED\n')
assert configuration.contains('arg -jar\narg /app/launcher.jar\n')
assert configuration.contains('env JAVA_TOOL_OPTIONS=-XX:+UseParallelGC\n')
assert !configuration.contains('UseSerialGC')

def log = new File(basedir, 'build.log').text
assert log.contains('Added jdk.localedata: java.util.Locale.GERMANY in as-java-jar-1.jar')
assert log.contains("Added jdk.net: 'jdk.net.ExtendedSocketOptions' in as-java-jar-1.jar")

// What the program finds in the guest is what it finds with java -jar on Linux.
def found = { String output -> output.readLines().findAll { it.startsWith('found: ') } }
def java = System.getProperty('java.home') + '/bin/java'
def linux = [java, '-jar', 'target/as-java-jar-1.jar'].execute(null, basedir).text
assert found(linux) == ['found: 1.234,5', 'found: class jdk.net.ExtendedSocketOptions',
        'found: an agent that may redefine classes: true', 'found: b', 'found: true']
assert found(log) == found(linux)
