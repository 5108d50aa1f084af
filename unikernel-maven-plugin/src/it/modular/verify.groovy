def log = new File(basedir, 'build.log').text
def found = { String output -> output.readLines().findAll { it.startsWith('found: ') } }
def linux = [System.getProperty('java.home') + '/bin/java', '--module-path', 'target/modular-1.jar:lib/provider.jar',
        '--module', 'modular/it.modular.Main'].execute(null, basedir).text
assert found(linux) == ['found: module modular', 'found: module provider a thing of module java.prefs',
        'found: a thing of module java.prefs', 'found: true', 'found: false']
assert found(log) == found(linux)
