// Builds each kind of program with the compiler that builds the kernel, as other tools build native executables.
def run = { File directory, List<String> words ->
    def process = new ProcessBuilder(words).directory(directory).redirectErrorStream(true).start()
    def output = process.inputStream.text
    assert process.waitFor() == 0 : "${words.join(' ')}: $output"
}
def compile = { String... words -> run(basedir, ['gcc', '-O1', '-Wall', '-Wextra', '-Werror', *words]) }
new File(basedir, 'programs/lib').mkdirs()
compile('-static', '-pthread', 'src/main/c/program.c', '-o', 'programs/static')
compile('-static-pie', '-fPIE', '-pthread', 'src/main/c/program.c', '-o', 'programs/static-pie')
compile('-shared', '-fPIC', 'src/main/c/library.c', '-o', 'programs/lib/libgreeting.so')
compile('-DGREETING', '-pthread', 'src/main/c/program.c', '-Lprograms/lib', '-lgreeting', '-Wl,-rpath,$ORIGIN/lib',
        '-o', 'programs/dynamic')
compile('-no-pie', '-pthread', 'src/main/c/program.c', '-o', 'programs/dynamic-no-pie')
compile('-static', 'src/main/c/server.c', '-o', 'programs/server')

def onPath = { String name -> System.getenv('PATH').split(':').any { new File(it, name).canExecute() } }

// A program that GraalVM's native-image made, from the package of npm in which its makers publish it.
if (onPath('npm')) {
    def compiler = new File(basedir, 'compiler')
    compiler.mkdirs()
    def (name, version) = ['google-closure-compiler-linux', '20261015.0.0']
    run(compiler, ['npm', 'pack', "$name@$version".toString()])
    run(compiler, ['tar', '-xzf', "$name-${version}.tgz".toString()])
    java.nio.file.Files.copy(new File(compiler, 'package/compiler').toPath(),
            new File(basedir, 'programs/compiler').toPath())
} else {
    println('Skipped: the program made by GraalVM, since there is no npm to get it with. Install npm to test it.')
}

// Programs that Go's compiler made, from the packages of the build machine's distribution, which are not installed.
if (onPath('apt-get')) {
    def packages = new File(basedir, 'packages')
    packages.mkdirs()
    run(packages, ['apt-get', 'download', 'gosu:amd64', 'caddy:amd64'])
    packages.listFiles().findAll { it.name.endsWith('.deb') }.each { run(packages, ['dpkg-deb', '-x', it.path, '.']) }
    [gosu: 'usr/sbin/gosu', caddy: 'usr/bin/caddy'].each { name, path ->
        java.nio.file.Files.copy(new File(packages, path).toPath(), new File(basedir, "programs/$name").toPath())
    }
    assert new File(basedir, 'programs/gosu').canExecute()
} else {
    println('Skipped: the programs made by Go, since there is no apt-get to get their packages with.'
            + ' Run this project on Debian or Ubuntu to test them.')
}
