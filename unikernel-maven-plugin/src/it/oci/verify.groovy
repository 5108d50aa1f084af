import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import java.nio.file.Files
import java.security.MessageDigest

// The image goes to a registry and into a tar, and comes back: as it was, bootable on KubeVirt's machine, and with
// manifests that fit KubeVirt's API.

target = new File(basedir, 'target')
image = new File(target, 'oci-1.img')
settings = new File(basedir.parentFile, 'interpolated-settings.xml')

/** A program that ends with this script, whatever happens to it. */
start = { List<String> words, File directory = basedir, boolean oneStream = true ->
    new ProcessBuilder(['setpriv', '--pdeathsig', 'TERM'] + words).directory(directory).redirectErrorStream(oneStream).start()
}

/** Runs a program to its end; returns its output. */
run = { List<String> words, int status = 0, File directory = basedir ->
    def process = start(words, directory)
    process.outputStream.close()
    def text = process.inputReader().text
    assert process.waitFor() == status : text
    text
}

oci = { int status, String... options ->
    run([System.getProperty('maven.home') + '/bin/mvn', '-B', '-s', settings.path,
            '-Dmaven.repo.local=' + localRepositoryPath, '-Dstyle.color=never', 'unikernel:oci', *options], status)
}

digest = { byte[] bytes -> 'sha256:' + MessageDigest.getInstance('SHA-256').digest(bytes).encodeHex() }

manifest = { new File(target, 'oci-1.vm.yaml').text }

/** The only layer of a manifest is the disk as it was built. */
def checkLayer(Map described, Closure<byte[]> blob) {
    assert described.layers.size() == 1
    assert described.layers[0].mediaType == 'application/vnd.oci.image.layer.v1.tar+gzip'
    def config = new JsonSlurper().parse(blob(described.config.digest))
    assert [config.os, config.architecture, config.created] == ['linux', 'amd64', '2026-01-01T00:00:00Z']
    def layer = new File(target, 'layer.tar.gz')
    layer.bytes = blob(described.layers[0].digest)
    // KubeVirt runs QEMU as user 107.
    assert run(['tar', '--numeric-owner', '-tvzf', layer.path]) =~ /(?m)^-r--r----- 107\/107 +${image.length()} 2026-01-01 .* disk\/oci-1.img$/
    run(['tar', '-xzf', layer.path, '-C', target.path])
    assert Files.mismatch(new File(target, 'disk/oci-1.img').toPath(), image.toPath()) == -1L
}

/** A registry on a free port of the loopback interface; "it" with the password "secret" may use it. */
def startRegistry() {
    def users = new File(target, 'users')
    users.text = 'it:$2b$04$d0SmEEtPtSoAd8jl1ZPztO1Vy8TRS9E/RugrbMfpjj5hKcVDPcH5.\n'
    def settings = new File(target, 'registry.yml')
    settings.text = JsonOutput.toJson([version: 0.1, log: [accesslog: [disabled: true]],
            storage: [filesystem: [rootdirectory: new File(target, 'registry').path]],
            http: [addr: '127.0.0.1:0'], auth: [htpasswd: [realm: 'it', path: users.path]]])
    def process
    try {
        process = start(['docker-registry', 'serve', settings.path])
    } catch (IOException e) {
        assert false : "There is no docker-registry: ${e.message}. Install Debian's package of that name, as lab/setup does."
    }
    def reader = process.inputReader()
    def text = ''
    for (def line = reader.readLine(); line != null; line = reader.readLine()) {
        text += line + '\n'
        def found = line =~ /listening on (127\.0\.0\.1:\d+)/
        if (found.find()) {
            // It must not wait for a reader of its log.
            Thread.startDaemon { while (reader.readLine() != null) { } }
            return [process, found.group(1)]
        }
    }
    assert false : "The registry does not listen:\n${text}"
}

def pull(String registry, String path, String accept) {
    def connection = new URL("http://${registry}/v2/it/oci/${path}").openConnection()
    connection.setRequestProperty('Authorization', 'Basic ' + 'it:secret'.bytes.encodeBase64())
    connection.setRequestProperty('Accept', accept)
    connection.inputStream.bytes
}

def theRegistryHasTheDisk(String registry) {
    def options = ["-Dunikernel.oci.image=${registry}/it/oci:1".toString()]
    assert oci(1, *options).contains("The registry ${registry} does not speak HTTPS with a certificate that Java trusts."
            + ' [parameter allowInsecureRegistry, -Dunikernel.oci.allowInsecureRegistry] Add the certificate')
    options += '-Dunikernel.oci.allowInsecureRegistry=true'
    assert oci(1, *options).contains("The registry ${registry} asks for credentials, and they are not sent over HTTP.")
    options += '-DsendCredentialsOverHttp=true'
    assert oci(1, *options).contains("The registry ${registry} does not permit this without credentials."
            + ' [parameter containerImage, -Dunikernel.oci.image] Give credentials that may push')
    options += '-Dunikernel.oci.username=it'
    assert oci(1, *options, '-Dunikernel.oci.password=wrong').contains("The registry ${registry} does not permit this to it of the parameters.")
    assert !manifestFile().exists()
    options += '-Dunikernel.oci.password=secret'
    oci(0, *options)

    def bytes = pull(registry, 'manifests/1', 'application/vnd.oci.image.manifest.v1+json')
    checkLayer(new JsonSlurper().parse(bytes)) { pull(registry, "blobs/${it}", '*/*') }
    assert manifest().contains("image: ${registry}/it/oci@${digest(bytes)}\n")

    // The same again, from the credentials of settings.xml; nothing is left over.
    def before = manifest()
    def servers = "<servers><server><id>${registry}</id><username>it</username><password>secret</password></server></servers>"
    def own = new File(target, 'settings.xml')
    own.text = settings.text.replace('<profiles>', servers + '<profiles>')
    settings = own
    oci(0, *options.findAll { !it.contains('oci.username') && !it.contains('oci.password') })
    assert manifest() == before
    assert target.list().every { !it.startsWith('oci-') || it.startsWith('oci-1.') }
    digest(bytes)
}

manifestFile = { new File(target, 'oci-1.vm.yaml') }

/** Without a network, and with the same digest. */
def theTarHasTheDisk(String expected) {
    oci(0, '-o', '-Dunikernel.oci.image=registry.example.com/it/oci:1', '-Dunikernel.oci.tarball=true', '-Dunikernel.oci.replicas=3')
    def layout = new File(target, 'layout')
    layout.mkdirs()
    run(['tar', '-xf', new File(target, 'oci-1.oci.tar').path, '-C', layout.path])
    def blob = { String name -> new File(layout, 'blobs/' + name.replace(':', '/')).bytes }
    def index = new JsonSlurper().parse(new File(layout, 'index.json'))
    assert index.manifests*.digest == [expected]
    checkLayer(new JsonSlurper().parse(blob(expected)), blob)
    assert manifest().contains('image: registry.example.com/it/oci:1\n')
    assert oci(1, '-o', '-Dunikernel.oci.image=registry.example.com/it/oci:1').contains('Maven is offline, so nothing is pushed.')
}

/** What libvirt makes of the manifest: q35, SeaBIOS, and a port of PCI Express for each device of virtio. */
def kubeVirtsMachineBootsIt() {
    def lab = new File(basedir, '../../../../lab/qemu').canonicalPath
    def process = start([lab, '--disk', "${target}/disk/oci-1.img".toString(), '--bios', '0', '--root-ports',
            '--forward', '0:8080', '--control'], basedir, false)
    try {
        def report = process.errorReader()
        def port = null
        for (def line = report.readLine(); port == null; line = report.readLine()) {
            assert line != null : process.inputReader().text
            port = (line =~ /forward 127\.0\.0\.1:(\d+) to 8080/).with { it.find() ? it.group(1) : null }
        }
        // It must not wait for a reader of its report.
        Thread.startDaemon { while (report.readLine() != null) { } }
        def console = process.inputReader()
        def text = ''
        for (def line = console.readLine(); line != 'Here I am'; line = console.readLine()) {
            assert line != null : text
            text += line + '\n'
        }
        // As a kubelet asks.
        assert new URL("http://127.0.0.1:${port}/health").openConnection().responseCode == 204
        // And as libvirt ends it, by the power button.
        process.outputStream << 'shutdown\n'
        process.outputStream.flush()
        assert console.text.contains('unikernel: exit status=143')
        assert process.waitFor() == 143
    } finally {
        process.destroy()
        process.waitFor()
    }
}

/** The schema is that of KubeVirt's OpenAPI, as types of TypeScript in a package of npm. */
def theManifestFitsTheApi() {
    def schema = new File(basedir, 'schema')
    def check = { int status -> run(['node', 'check.mjs', manifestFile().path], status, schema) }
    check(0)
    // It finds what is wrong.
    def right = manifest()
    [['cores: 1', 'cores: "1"', 'cores'], ['livenessProbe', 'liveProbe', 'liveProbe'], ['port: 8080', 'ports: 8080', 'ports']].each { from, to, found ->
        assert right.contains(from)
        manifestFile().text = right.replace(from, to)
        assert check(1).contains(found)
    }
    manifestFile().text = right
}

def (registry, address) = startRegistry()
try {
    manifestFile().delete()
    def pushed = theRegistryHasTheDisk(address)
    def npm = System.getenv('PATH').split(':').any { new File(it, 'npm').canExecute() }
    if (npm) {
        run(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund'], 0, new File(basedir, 'schema'))
        theManifestFitsTheApi()
    } else {
        println 'There is no npm on the PATH, so the manifests are not compared with the API of KubeVirt.'
    }
    theTarHasTheDisk(pushed)
    assert manifest().contains('kind: VirtualMachineInstanceReplicaSet\n')
    if (npm) {
        theManifestFitsTheApi()
    }
} finally {
    registry.destroy()
    registry.waitFor()
}
kubeVirtsMachineBootsIt()
true
