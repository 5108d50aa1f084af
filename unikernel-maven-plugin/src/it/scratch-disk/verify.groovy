def log = new File(basedir, 'build.log').text
assert log.contains('same contents: true')
assert log.contains('taken: 160 MiB, free again: true')
assert log.contains('type: scratch, as large as asked for')

// What a Xen host needs; QEMU's own disk leaves nothing.
def disk = new File(basedir, 'target/scratch-disk-1.scratch.img')
assert disk.length() == 300 << 20
def configuration = new File(basedir, 'target/scratch-disk-1.xl.cfg').text
assert configuration.contains("format=raw, vdev=xvdb, access=rw, target=${disk.path}")
true
