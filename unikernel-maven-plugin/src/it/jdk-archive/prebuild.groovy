// A JDK as small as can be: what the image and the linking of its runtime need, with the modules to link.

import java.nio.file.Files

program = { File directory, String... words ->
    def process = new ProcessBuilder(words).directory(directory).redirectErrorStream(true).start()
    def text = process.inputStream.text
    assert process.waitFor() == 0 : text
}

def jdk = System.getProperty('java.home')
def home = new File(basedir, 'jdk-1')
program(basedir, jdk + '/bin/jlink', '--add-modules', 'java.base,jdk.jlink,jdk.compiler', '--strip-debug',
        '--keep-packaged-modules', home.path + '/jmods', '--output', home.path)
def release = new File(home, 'release')
['OS_NAME="Linux"', 'OS_ARCH="x86_64"', 'IMPLEMENTOR="Small JDKs"'].each { release << it + '\n' }
// As those of vendors, it has links.
Files.createSymbolicLink(home.toPath().resolve('RELEASE'), java.nio.file.Path.of('release'))
program(basedir, 'tar', '-czf', 'jdk.tar.gz', 'jdk-1')
program(basedir, jdk + '/bin/jar', '--create', '--no-manifest', '--file', 'jdk.zip', 'jdk-1')

// That of an earlier run is another one.
new File(localRepositoryPath, 'it/jdk').deleteDir()
def artifact = new File(basedir, 'repository/it/jdk/1/jdk-1-linux.tar.gz')
artifact.parentFile.mkdirs()
Files.copy(new File(basedir, 'jdk.tar.gz').toPath(), artifact.toPath())
new File(artifact.parentFile, artifact.name + '.sha1').text = java.security.MessageDigest.getInstance('SHA-1')
        .digest(artifact.bytes).encodeHex()
new File(artifact.parentFile, 'jdk-1.pom').text = '''<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>it</groupId>
  <artifactId>jdk</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
</project>
'''
true
