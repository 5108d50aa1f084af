assert new File(basedir, 'build.log').text.contains('[parameter mainClass, -Dunikernel.mainClass] Write one or name the class to start.')
assert !new File(basedir, 'target').list().any { it.endsWith('.img') || it.endsWith('.kernel') }
