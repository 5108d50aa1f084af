// Builds each kind of program with the compiler that builds the kernel, as other tools build native executables.
def compile = { String... words ->
    def process = new ProcessBuilder(['gcc', '-O1', '-Wall', '-Wextra', '-Werror', *words]).directory(basedir)
            .redirectErrorStream(true).start()
    def output = process.inputStream.text
    assert process.waitFor() == 0 : "${words.join(' ')}: $output"
}
new File(basedir, 'programs/lib').mkdirs()
compile('-static', '-pthread', 'src/main/c/program.c', '-o', 'programs/static')
compile('-static-pie', '-fPIE', '-pthread', 'src/main/c/program.c', '-o', 'programs/static-pie')
compile('-shared', '-fPIC', 'src/main/c/library.c', '-o', 'programs/lib/libgreeting.so')
compile('-DGREETING', '-pthread', 'src/main/c/program.c', '-Lprograms/lib', '-lgreeting', '-Wl,-rpath,$ORIGIN/lib',
        '-o', 'programs/dynamic')
compile('-no-pie', '-pthread', 'src/main/c/program.c', '-o', 'programs/dynamic-no-pie')
compile('-static', 'src/main/c/server.c', '-o', 'programs/server')
