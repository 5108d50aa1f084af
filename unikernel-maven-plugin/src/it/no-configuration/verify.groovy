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
