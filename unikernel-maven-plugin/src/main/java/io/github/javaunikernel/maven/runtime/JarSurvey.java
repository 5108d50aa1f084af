// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Looks through jars for whatever shows that a module of the JDK is needed. */
final class JarSurvey {

    private static final String VERSIONS = "META-INF/versions/";
    private static final String SERVICES = "META-INF/services/";
    private static final String CLASS = ".class";
    /** Magic number, minor and major version (JVMS 4.1). */
    private static final int CLASS_START = 8;

    private static final int CLASS_MAGIC = 0xCAFEBABE;
    private static final int FIRST_CLASS_VERSION = 45;
    private static final ByteBuffer ZIP_START =
            ByteBuffer.wrap(new byte[] {'P', 'K'}).asReadOnlyBuffer();
    private static final String MODULE_INFO = "module-info.class";
    /** Services of compilers, which look for them at build time; programs carry them along for their own users. */
    private static final Set<String> OF_COMPILERS =
            Set.of("javax/annotation/processing/Processor", "com/sun/source/util/Plugin");
    /** Endings of files in which frameworks name classes. */
    private static final Set<String> TEXTS = Set.of(
            "properties",
            "xml",
            "yml",
            "yaml",
            "json",
            "conf",
            "cfg",
            "toml",
            "factories",
            "imports",
            "policy",
            "login",
            "config",
            "ini",
            "txt");
    /** Parts of jars that only say how they were built, or name classes of other programs. */
    private static final List<String> NO_TEXTS = List.of(
            "META-INF/maven/", "META-INF/native-image/", "META-INF/resources/", "META-INF/LICENSE", "META-INF/NOTICE");
    /** Names of classes that draw text, or measure it. */
    private static final Pattern DRAWING =
            Pattern.compile("java/awt/(Graphics|Graphics2D|Font|FontMetrics|font/.*|print/.*)|javax/(swing|print)/.*");

    private static final int LARGEST_TEXT = 256 << 10;

    private final JdkIndex jdk;
    private final ModuleReasons reasons;
    private final int feature;
    private final LocaleUse locales = new LocaleUse();
    /** References and members that have been looked at; most are in many classes. */
    private final Set<String> seen = new HashSet<>();

    /**
     * Starts with no jar.
     *
     * @param feature version of the Java that loads the jars
     */
    JarSurvey(JdkIndex jdk, ModuleReasons reasons, int feature) {
        this.jdk = jdk;
        this.reasons = reasons;
        this.feature = feature;
    }

    /** Looks through a jar. */
    void see(Path jar) throws IOException {
        see(jar, jar.getFileName().toString());
    }

    private void see(Path jar, String name) throws IOException {
        Jar.read(jar, open -> {
            for (JarEntry entry : (Iterable<JarEntry>) open.stream()::iterator) {
                if (!entry.isDirectory()) {
                    see(open, entry, name);
                }
            }
            return open;
        });
    }

    /** After the last jar. */
    void end() {
        locales.reason().ifPresent(reason -> reasons.add(LocaleUse.MODULE, reason));
    }

    private void see(ZipFile zip, ZipEntry entry, String jar) throws IOException {
        String path = entry.getName();
        try (InputStream in = new BufferedInputStream(zip.getInputStream(entry))) {
            if (path.endsWith(MODULE_INFO)) {
                seeModule(JdkIndex.descriptor(in), jar);
            } else if (path.endsWith(CLASS) ? isLoaded(path) : startsAsClass(in)) {
                seeClass(ClassFile.read(in), jar);
            } else if (path.startsWith(SERVICES)) {
                seeProvided(path.substring(SERVICES.length()).replace('.', '/'), path + " in " + jar);
                seeText(in, path, jar);
            } else if (path.equals(JarFile.MANIFEST_NAME)) {
                seeManifest(new Manifest(in), jar);
            } else if (path.endsWith(".jar") && start(in, ZIP_START.remaining()).equals(ZIP_START)) {
                seeInner(in, path + " in " + jar);
            } else {
                locales.seeFile(path, jar);
                if (isText(path) && entry.getSize() <= LARGEST_TEXT) {
                    seeText(in, path, jar);
                }
            }
        } catch (FileSystemException | ExplainedException e) {
            throw e;
        } catch (IOException e) {
            throw new ExplainedException(
                    zip.getName() + (path.endsWith(".class") ? " has a class file" : " has a file")
                            + " that cannot be read, " + path + ": " + FileTrouble.reason(e) + ". Replace the jar.",
                    e);
        }
    }

    /** Jars in jars belong to programs that load classes themselves, such as agents. */
    private void seeInner(InputStream in, String name) throws IOException {
        Path copy = Files.createTempFile("unikernel", ".jar");
        try {
            FileTrouble.on(copy, () -> Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING));
            see(copy, name);
        } finally {
            Files.delete(copy);
        }
    }

    /** Agents hide their classes from the program by names that end in another way, such as .classdata. */
    private static boolean startsAsClass(InputStream in) throws IOException {
        ByteBuffer start = start(in, CLASS_START);
        // Binaries of macOS begin so, too, and go on with a small number of architectures.
        return start.remaining() == CLASS_START
                && start.getInt(0) == CLASS_MAGIC
                && Short.toUnsignedInt(start.getShort(CLASS_START - Short.BYTES)) >= FIRST_CLASS_VERSION;
    }

    private static ByteBuffer start(InputStream in, int length) throws IOException {
        in.mark(length);
        ByteBuffer start = ByteBuffer.wrap(in.readNBytes(length));
        in.reset();
        return start;
    }

    /** Whether the JVM would load a class: if it is for certain versions of Java, for this one. */
    private boolean isLoaded(String entry) {
        if (!entry.startsWith(VERSIONS)) {
            return true;
        }
        String version = entry.substring(VERSIONS.length()).split("/")[0];
        return version.matches("\\d{1,4}") && Integer.parseInt(version) <= feature;
    }

    private static boolean isText(String path) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        return TEXTS.contains(name.substring(name.lastIndexOf('.') + 1))
                && NO_TEXTS.stream().noneMatch(path::contains);
    }

    private void seeClass(ClassFile file, String jar) {
        boolean loadsServices = file.references().contains("java/util/ServiceLoader");
        for (String reference : file.references()) {
            if (loadsServices) {
                seeUsed(reference, reference.replace('/', '.') + ", which " + jar + " loads as a service");
            }
            if (seen.add(reference)) {
                mention(reference, jar);
            }
        }
        for (String member : file.members()) {
            if (seen.add(member)) {
                ImpliedModules.behindApi(member).forEach(module -> reasons.add(module, dotted(member) + " in " + jar));
            }
        }
        for (String text : file.texts()) {
            seeText(text, jar);
        }
        locales.see(file, jar);
    }

    private void mention(String reference, String jar) {
        String owner = jdk.owner(reference);
        if (owner != null) {
            reasons.mention(owner, dotted(reference) + " in " + jar);
        }
        if (DRAWING.matcher(reference).matches()) {
            reasons.noteDrawing();
        }
        ImpliedModules.behindApi(reference).forEach(module -> reasons.add(module, dotted(reference) + " in " + jar));
    }

    private void seeText(InputStream in, String path, String jar) throws IOException {
        for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\\R")) {
            int value = Math.max(line.indexOf('='), line.indexOf(": ")) + 1;
            seeText(line.substring(value).strip(), path + " of " + jar);
        }
    }

    private void seeText(String text, String place) {
        ImpliedModules.behindText(text).forEach(module -> reasons.add(module, quoted(text) + " in " + place));
        if (jdk.isExtendedCharset(text)) {
            reasons.add(JdkIndex.CHARSETS, quoted(text) + " in " + place);
        }
        if (text.indexOf('.') < 0) {
            return;
        }
        DottedNames.in(text, name -> {
            int slash = name.lastIndexOf('/');
            String owner = jdk.hasPackage(name.substring(0, slash)) ? jdk.owner(name) : null;
            if (owner != null) {
                reasons.add(owner, quoted(dotted(name)) + " in " + place);
            }
        });
    }

    /** What a module description requires counts also on the class path; whoever wrote it knew. */
    private void seeModule(ModuleDescriptor module, String jar) {
        for (ModuleDescriptor.Requires required : module.requires()) {
            if (!required.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC)) {
                reasons.add(required.name(), "the description of module " + module.name() + " in " + jar);
            }
        }
        for (String service : module.uses()) {
            seeUsed(service.replace('.', '/'), service + ", which module " + module.name() + " in " + jar + " uses");
        }
        for (ModuleDescriptor.Provides provided : module.provides()) {
            seeProvided(
                    provided.service().replace('.', '/'), "the description of module " + module.name() + " in " + jar);
        }
    }

    private void seeUsed(String service, String reason) {
        if (!OF_COMPILERS.contains(service)) {
            jdk.providersOf(service).forEach(module -> reasons.add(module, reason));
        }
    }

    private void seeProvided(String service, String reason) {
        String owner = OF_COMPILERS.contains(service) ? null : jdk.owner(service);
        if (owner != null) {
            reasons.add(owner, reason);
        }
    }

    private void seeManifest(Manifest manifest, String jar) {
        Attributes attributes = manifest.getMainAttributes();
        for (String name : List.of("Launcher-Agent-Class", "Premain-Class", "Agent-Class")) {
            if (attributes.getValue(name) != null) {
                reasons.add("java.instrument", name + " in the manifest of " + jar);
            }
        }
        for (String name : List.of("Add-Opens", "Add-Exports")) {
            String value = attributes.getValue(name);
            for (String item : value == null ? new String[0] : value.strip().split("\\s+")) {
                reasons.add(item.split("/")[0], name + " in the manifest of " + jar);
            }
        }
    }

    private static String dotted(String name) {
        return name.replace('/', '.');
    }

    private static String quoted(String text) {
        return "'" + text + "'";
    }
}
