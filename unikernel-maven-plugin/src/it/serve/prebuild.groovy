import java.nio.file.Files
import java.nio.file.Path

// The sample as it is in the repository, without what a build of it has left there.
Path plugin = basedir.parentFile.parentFile.parentFile.toPath()
Path sample = plugin.resolveSibling('samples').resolve('zerg')
Path copy = basedir.toPath().resolve('zerg')
Files.walk(sample).withCloseable { files ->
    files.filter { !it.startsWith(sample.resolve('target')) }.forEach { file ->
        Path to = copy.resolve(sample.relativize(file).toString())
        Files.isDirectory(file) ? Files.createDirectories(to) : Files.write(to, Files.readAllBytes(file))
    }
}

// For every build here, however slow the machine is.
Path settings = Files.createDirectories(basedir.toPath().resolve('.mvn')).resolve('maven.config')
Files.writeString(settings, ["-Dunikernel.cacheDirectory=${basedir.parentFile}/cache", '-Dunikernel.start.timeout=36000',
        '-Dunikernel.stop.timeout=36000'].join('\n') + '\n')
true
