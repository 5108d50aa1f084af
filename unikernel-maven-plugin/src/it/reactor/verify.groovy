def runs = new File(basedir, 'build.log').text.split('Running post-build script')[0]
// Once for each of the two command lines.
assert runs.count('Hello from the library\n') == 2
assert runs.count('unikernel: exit status=0\n') == 2
assert !new File(localRepositoryPath, 'it/reactor').exists()
def manifest = new groovy.json.JsonSlurper().parse(new File(basedir, 'application/target/application-1.unikernel.json'))
assert manifest.application.classPath == ['maven:it.reactor:application:jar:1', 'maven:it.reactor:library:jar:1']
def bill = new groovy.json.JsonSlurper().parse(new File(basedir, 'application/target/application-1.cdx.json'))
def library = bill.components.find { it.name == 'library' }
assert library.purl == 'pkg:maven/it.reactor/library@1?type=jar'
assert library.licenses*.license*.id == ['MIT']
def kernel = bill.components.find { it.name == 'guest-kernel' }
// There is no commit where the kernel was built outside of a clone.
assert kernel.properties.every { it.name == 'unikernel:commit' && it.value ==~ /[0-9a-f]{40}/ }
