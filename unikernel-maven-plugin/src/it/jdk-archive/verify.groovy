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
