def page = new File(basedir, 'target/report-1.report.html').getText('UTF-8')

/** The text of a part, without markup. */
def part = { String id ->
    def found = page =~ /(?s)<section id="${id}">(.*?)<\/section>/
    assert found.find() : "no part ${id}"
    found.group(1).replaceAll(/<[^>]*>/, ' ').replaceAll(/\s+/, ' ')
}

assert part('bytes').contains('JDK modules') && part('bytes').contains('Kernel')
assert part('modules') =~ /java\.logging [\d.]+ KiB java\.util\.logging\.Logger in report-1\.jar/
assert part('modules').contains('every program uses it')
assert part('libraries').contains('libc.so.6') && part('libraries').contains('the dynamic linker of java')
assert part('libraries').contains('/jvm/lib/server/libjvm.so')

// The second build left the metrics out.
assert part('changes').contains('Compared with the last image with other contents')
assert part('changes') =~ /\/etc\/unikernel\.conf changed/
assert part('changes') =~ /\/boot\/grub\/menu\.lst changed/
assert !part('changes').contains('/jvm/lib/modules')

def surface = part('surface')
assert surface.contains('/jvm/bin/java , which the kernel starts.')
assert surface.contains('/var/spool/app , in memory, up to 1.0 MiB')
assert surface.contains('TCP 8080, of the program') && !surface.contains('TCP 9100')
assert surface.contains('Variable DB_*') && surface.contains('instance metadata service')
assert surface =~ /The kernel offers \d{3} calls/ && surface.contains('openat')
assert surface.contains('nokaslr') && surface.contains('Program text is not writable')

// Nothing is fetched from elsewhere.
assert !page.contains('<script') && !(page =~ /(src|href)="(https?:)?\/\//)
assert page.contains('<a href="report-1.cdx.json">') && new File(basedir, 'target/report-1.cdx.json').isFile()

def site = new File(basedir, 'target/site/unikernel-report-1.html').getText('UTF-8')
assert site.contains('<section id="surface">')
assert new File(basedir, 'target/site/report-1.cdx.json').isFile()
assert new File(basedir, 'target/site/project-reports.html').text.contains('unikernel-report-1.html')

def log = new File(basedir, 'build.log').text
assert log.contains('none.img. [parameter imageName, -Dunikernel.imageName] Make the image first')
