// SPDX-License-Identifier: Apache-2.0
// Refuses names with which the project could not be built: Maven has no means to check them before it generates. Then
// keeps the one of the flavours that is wanted; it generates all of them.
import java.nio.file.Files
import javax.lang.model.SourceVersion

def directory = new File(request.outputDirectory, request.artifactId)

def check = { boolean good, String property, String value, String fix ->
    if (!good) {
        throw new IllegalArgumentException("The property ${property} is '${value}'. ${fix}"
                + " Then delete ${directory} and generate the project again.")
    }
}

check(request.groupId ==~ /[A-Za-z0-9_][A-Za-z0-9_.-]*/, 'groupId', request.groupId,
        "Set it to letters, digits, '.', '_' and '-', such as org.example.")
// It is also the name of the files of the image.
check(request.artifactId ==~ /[A-Za-z0-9][A-Za-z0-9._-]*/, 'artifactId', request.artifactId,
        "Set it to letters, digits, '.', '_' and '-', beginning with a letter or digit.")
check(SourceVersion.isName(request.getPackage()), 'package', request.getPackage(),
        'Set it to the name of a Java package, such as org.example.hello; by default it is the groupId.')

def flavours = new File(directory, 'flavours')
def flavour = request.getProperties().getProperty('flavour')
def wanted = new File(flavours, flavour)
check(flavour == 'jdk' || wanted.parentFile == flavours && wanted.isDirectory(), 'flavour', flavour,
        'Set it to jdk, spring-boot or quarkus.')
if (flavour != 'jdk') {
    new File(directory, 'src').deleteDir()
    new File(directory, 'pom.xml').delete()
    wanted.listFiles().each { Files.move(it.toPath(), new File(directory, it.name).toPath()) }
}
flavours.deleteDir()
