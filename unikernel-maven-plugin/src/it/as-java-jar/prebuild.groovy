import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

// A library that is in no repository, and settings beside the jar.
def library = new File(basedir, 'lib/extra.jar')
library.parentFile.mkdirs()
new ZipOutputStream(library.newOutputStream()).withCloseable {
    it.putNextEntry(new ZipEntry('extra.txt'))
    it << 'extra'
}
def settings = new File(basedir, 'target/conf/a.properties')
settings.parentFile.mkdirs()
settings.text = 'a = b\n'
true
