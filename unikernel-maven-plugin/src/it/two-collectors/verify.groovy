def log = new File(basedir, 'build.log').text
assert log.contains('The JVM does not start with these options:')
assert log.contains('[parameter jvmArguments, -Dunikernel.jvmArguments] Keep one of the options that choose a collector.')
assert !new File(basedir, 'target').list().any { it.endsWith('.img') || it.endsWith('.kernel') }
