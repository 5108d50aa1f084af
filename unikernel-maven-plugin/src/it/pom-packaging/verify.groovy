assert !new File(basedir, 'target').exists()
// Not a word about images, not even that there is none.
assert !new File(basedir, 'build.log').text.toLowerCase().contains('nothing to do')
