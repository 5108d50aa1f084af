// SPDX-License-Identifier: Apache-2.0
// Refuses names with which the project could not be built. Maven has no means to check them before it generates.
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
