import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import javax.tools.ToolProvider

// A module that the application does not require, but whose service it uses; it requires a module of the JDK that nothing
// else does.
def sources = ['module-info': '''module provider {
    requires java.prefs;
    provides java.nio.file.spi.FileTypeDetector with provider.Detector;
}
''', 'provider/Detector': '''package provider;

public class Detector extends java.nio.file.spi.FileTypeDetector {
    @Override
    public String probeContentType(java.nio.file.Path path) {
        return "a thing of " + java.util.prefs.Preferences.class.getModule();
    }
}
''']
def classes = new File(basedir, 'lib/classes')
def files = sources.collect { name, text ->
    def file = new File(basedir, "lib/sources/${name}.java")
    file.parentFile.mkdirs()
    file.text = text
    file.path
}
classes.mkdirs()
assert ToolProvider.systemJavaCompiler.run(null, null, null, '--release', '17', '-d', classes.path, *files) == 0
new ZipOutputStream(new File(basedir, 'lib/provider.jar').newOutputStream()).withCloseable { zip ->
    sources.keySet().each {
        zip.putNextEntry(new ZipEntry("${it}.class"))
        zip << new File(classes, "${it}.class").bytes
    }
}
true
