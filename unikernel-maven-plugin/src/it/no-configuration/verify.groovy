import groovy.json.JsonSlurper

['no-configuration-1', 'no-configuration-1-packaged'].each { name ->
    assert new File(basedir, "target/${name}.img").length() > 0
    def manifest = new JsonSlurper().parse(new File(basedir, "target/${name}.unikernel.json"))
    assert manifest.application.mainClass == 'it.Main'
    assert manifest.application.classPath == ['maven:it:no-configuration:jar:1']
}
assert new File(basedir, 'build.log').text.contains('exec /jvm/bin/java\narg -Xmx')
assert !new File(localRepositoryPath, 'it/no-configuration').exists()
// What cannot be copied does not overwrite a file.
assert new File(basedir, 'pom.xml').text.contains('<artifactId>no-configuration</artifactId>')

// What the goal brings into an empty repository: Maven itself has a few files of its own for any goal of a plugin. The
// inner repository comes first, since the outer one may have an older snapshot of the plugin.
def settings = new File(basedir, 'settings.xml')
def outer = new groovy.xml.XmlSlurper().parse(new File(basedir.parentFile, 'interpolated-settings.xml'))
        .profiles.profile.repositories.repository.url.text()
settings.text = """<settings>
  <mirrors>
    <mirror><id>built</id><mirrorOf>central</mirrorOf><url>${localRepositoryPath.toURI()}</url></mirror>
  </mirrors>
  <profiles>
    <profile>
      <id>local</id>
      <pluginRepositories>
        <pluginRepository><id>inner</id><url>${localRepositoryPath.toURI()}</url>
          <snapshots><enabled>true</enabled></snapshots></pluginRepository>
        <pluginRepository><id>outer</id><url>${outer}</url><snapshots><enabled>true</enabled></snapshots></pluginRepository>
      </pluginRepositories>
    </profile>
  </profiles>
  <activeProfiles><activeProfile>local</activeProfile></activeProfiles>
</settings>
"""
def plugin = (new File(basedir, 'build.log').text =~ /--- (?:unikernel|unikernel-maven-plugin):(\S+):image/)[0][1]
def empty = new File(basedir, 'empty-repository')
def run = { String... options ->
    def process = new ProcessBuilder(System.getProperty('maven.home') + '/bin/mvn', '-B', '-ntp', '-s', settings.path,
            "-Dmaven.repo.local=$empty", *options, "io.github.javaunikernel:unikernel-maven-plugin:$plugin:image")
            .directory(basedir).redirectErrorStream(true).start()
    process.outputStream.close()
    def output = process.inputStream.text
    [process.waitFor(), output]
}
def image = { String... options ->
    def (status, output) = run(options)
    assert status == 0 : output
}
image()
def downloaded = []
empty.eachFileRecurse { if (it.name.endsWith('.jar')) downloaded << it }
assert downloaded.any { it.name.startsWith('unikernel-maven-plugin-') }
// The symbols of the kernel and the libraries of the cloud are not among them.
assert !downloaded.any { it.name =~ /symbols|awssdk|jib-core|commons-compress/ }
// The libraries of the image come once, and without those for drawing.
def systems = downloaded.findAll { it.name.startsWith('sysroot-') }
assert systems.size() == 1 && systems[0].length() < 3e6 : systems
downloaded.removeAll(systems)
def megabytes = downloaded*.length().sum() / 1e6
println "The goal image downloads $megabytes MB in ${downloaded.size()} jars, and ${systems[0].length() / 1e6} MB of libraries"
assert megabytes < 10 : downloaded.sort { -it.length() }.collect { "${it.length()} ${it.name}" }.join('\n')

// Once is enough: without the network, everything is there.
image('-o')

// Without the libraries there is no image, and no other libraries in silence.
systems[0].parentFile.deleteDir()
def (status, output) = run('-o')
assert status != 0 && output.contains('Let Maven reach the repository of the plugin, or set sysroot to') : output
