import io.github.javaunikernel.maven.invoked.Machines

def log = new File(basedir, 'build.log').text
def builds = log.split('Scanning for projects').drop(1)
assert builds.size() == 7

assert builds[0] =~ /The image has passed its check in \S+ s/
assert builds[0].contains('BUILD SUCCESS')
assert builds[1].contains('The program in the guest ended with status 4. The last lines of its console:')
assert builds[1].contains('  | The ledger is not in order')
assert builds[2] =~ /The image has passed its check in \S+ s/
assert builds[3].contains('The program in the guest ended with status 5. The last lines of its console:')
assert builds[3].contains('  | Asked for the end')
// The last image was made to be checked with other arguments than the POM has.
assert builds[4].contains("The image was made for a check with 'ledger', not for a check with 'clock' 'files'."
        + ' [parameter checkArguments, -Dunikernel.checkArguments] Set the parameter for the goals image and check alike')
assert builds[5].contains('Skipped, since tests are skipped')
assert builds[6].contains('QEMU loads the kernel itself, since firmware would have the program started without checkArguments')
assert builds[6] =~ /The image has passed its check in \S+ s/
assert new groovy.json.JsonSlurper().parse(new File(basedir, 'target/uefi.unikernel.json')).image.uefi

// The usual start is not that of a check.
def image = new groovy.json.JsonSlurper().parse(new File(basedir, 'target/check-1.unikernel.json'))
assert image.application.check == [config: '/etc/unikernel.check.conf', arguments: ['ledger']]
assert image.files*.path.containsAll(['/etc/unikernel.conf', '/etc/unikernel.check.conf'])
def healthy = new groovy.json.JsonSlurper().parse(new File(basedir, 'target/healthy.unikernel.json'))
assert !healthy.files*.path.contains('/etc/unikernel.check.conf')

assert new File(basedir, 'target/check-1.check.console.log').text.contains('The ledger is not in order\n')
Machines.awaitNone(basedir.path + '/target')
