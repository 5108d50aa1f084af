import groovy.json.JsonSlurper

def images = ['', '-zip', '-artifact'].collect { suffix ->
    def manifest = new JsonSlurper().parse(new File(basedir, "target/jdk-archive-1${suffix}.unikernel.json"))
    assert manifest.files.find { it.path == '/jvm/lib/modules' }.origin.startsWith('jdk:Small JDKs ')
    manifest.files.findAll { it.path.startsWith('/jvm/') }
}
assert images.toSet().size() == 1
def log = new File(basedir, 'build.log').text
assert log =~ /jdk\.tar\.gz has the SHA-256 [0-9a-f]{64}\. \[parameter jdkChecksum, -Dunikernel\.jdkChecksum] Download it again/
assert log.contains('There is no artifact it:absent:tar.gz:linux:1 to be had: ')
assert log.contains('[parameter jdkHome, -Dunikernel.jdkHome] Correct the coordinates, or add a repository')
// The tar is in the cache once, whether it is a file or an artifact, and the zip beside it.
assert new File(basedir, 'target/cache').list().count { it.startsWith('jdk-') } == 2

// The bill of materials says what the libraries of the artifact are of.
def portable = new JsonSlurper().parse(new File(basedir, 'target/jdk-archive-1-portable.cdx.json'))
assert portable.components.any { it.purl?.startsWith('pkg:deb/') && it.name == 'libc6' && it.version }
assert new File(basedir, 'target/cache').list().count { it.startsWith('system-') } == 1
assert log.contains('Here I am')

// Two builders with different C libraries. The second one is this machine with another one in the place of its own, in a
// mount namespace that ends with the build, which takes root's rights.
def build = { boolean other, String name, String... options ->
    def mount = "sed 's/GNU C Library/gnu c library/' \"\$1\" > \"\$2\" && chmod --reference=\"\$1\" \"\$2\" && mount --bind \"\$2\" \"\$1\""
    def words = other ? ['unshare', '--mount', 'sh', '-c', "{ ${mount}; } && shift 2 && exec \"\$@\"", 'sh',
            new File('/lib/x86_64-linux-gnu/libc.so.6').canonicalPath, new File(basedir, 'other-libc').path] : []
    words += [System.getProperty('maven.home') + '/bin/mvn', '-o', '-B', '-ntp',
            '-s', new File(basedir.parentFile, 'interpolated-settings.xml').path, "-Dmaven.repo.local=$localRepositoryPath",
            'package', '-Dunikernel.jdkHome=jdk.tar.gz', "-Dunikernel.classifier=$name", *options]
    def process = new ProcessBuilder(words*.toString()).directory(basedir).redirectErrorStream(true).start()
    process.outputStream.close()
    def output = process.inputStream.text
    assert process.waitFor() == 0 : output
    def bytes = new File(basedir, "target/jdk-archive-1-${name}.img").bytes
    java.security.MessageDigest.getInstance('SHA-256').digest(bytes).encodeHex().toString()
}
if (System.getProperty('user.name') == 'root') {
    assert build(false, 'portable') == build(true, 'portable')
    // What the machine has is seen, so the comparison above means something.
    assert build(false, 'of-the-host', '-Dunikernel.sysroot=/') != build(true, 'of-the-host', '-Dunikernel.sysroot=/')
}
